import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { methods } from "vitrail";
import { ratioOf, spreadOf, takeTurns } from "../src/bench/measure.js";
import { agreements, readTop, strongest, topOverlap } from "../src/compare/agreement.js";
import { partMethods, readColumns, takeArguments, usual } from "../src/compare/column.js";
import { agreementCsv } from "../src/compare/document.js";
import { agreementLines, figure } from "../src/compare/table.js";
import { findMethod } from "../src/method.js";

describe("columns", () => {
  test("unless asked, one method of each kind: those of many runs are left out", () => {
    const kinds = usual().map((id) => [findMethod(id).kind, ...findMethod(id).needs].join());
    expect(usual()[0]).toBe(methods[0]!.id);
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const { kind, needs } of methods)
      expect(kinds.includes([kind, ...needs].join())).toBe(!needs.includes("many forwards"));
    expect(readColumns({}).map(({ name }) => name)).toEqual(usual());
  });

  test("one method may come twice with other options, which its name then says", () => {
    const columns = readColumns({
      methods: ["attn-lrp, attn-lrp:gamma=0.25,transformer-attribution"],
      startLayer: "1",
    });
    expect(columns.map(({ name }) => name)).toEqual([
      "attn-lrp",
      "attn-lrp gamma=0.25",
      "transformer-attribution startLayer=1",
    ]);
    expect(columns[1]!.options).toEqual({ gamma: 0.25 });
  });

  test("mistakes are named", () => {
    const names = (...methods: string[]) => readColumns({ methods }).map(({ name }) => name);
    expect(names("lrp", "attn-lrp:gamma=0.25")).toEqual(names("lrp,attn-lrp:gamma=0.25"));
    const here = fileURLToPath(import.meta.url);
    expect(partMethods(["lrp", "attn-lrp:gamma=1", here, "lrp"])).toEqual({
      methods: ["lrp", "attn-lrp:gamma=1"],
      inputs: [here, "lrp"],
    });
    expect(partMethods(["lrp", "lpr"]).inputs).toEqual([]);
    expect(takeArguments([undefined], { methods: ["lrp", "owner/model", here] })).toEqual({
      model: "owner/model",
      rest: [here],
      methods: ["lrp"],
    });
    expect(takeArguments(["m", here], { methods: ["lrp"] })).toEqual({ model: "m", rest: [here], methods: ["lrp"] });
    expect(() => takeArguments([], { methods: ["lrp"] })).toThrow(/names no model/);
    expect(() => readColumns({ methods: ["lrp,lpr"] })).toThrow(/--method lpr[\s\S]*did you mean .*lrp/);
    expect(() => readColumns({ methods: ["lrp,lrp"] })).toThrow(/lrp is there twice/);
    expect(() => readColumns({ methods: ["lrp"], option: ["gamma=1"] })).toThrow(/none of the compared methods/);
    expect(() => readColumns({ methods: ["random"], startLayer: "1" })).toThrow(/none of the compared methods/);
    for (const bad of ["0", "-1", "1.5", "x", ""]) expect(() => readTop(bad)).toThrow(/E080/);
  });
});

/** Spearman's correlation, slowly: rank = 1 + smaller ones + half of the equal others. */
function slowSpearman(a: readonly number[], b: readonly number[]): number {
  const rank = (all: readonly number[]) =>
    all.map((x) => 1 + all.filter((y) => y < x).length + (all.filter((y) => y === x).length - 1) / 2);
  const [x, y] = [rank(a), rank(b)];
  const mean = (a.length + 1) / 2;
  const dot = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + (value - mean) * (q[i]! - mean), 0);
  const scale = Math.sqrt(dot(x, x) * dot(y, y));
  return scale > 0 ? dot(x, y) / scale : 0;
}

describe("agreement", () => {
  const map = (values: readonly number[]) => ({ unit: "values" as const, values });

  test("is Spearman's correlation and the overlap of the strongest, as slowly counted", () => {
    const values = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [pair] = agreements([[map(a), map(b)]], 2, 0.25);
        const top = (all: readonly number[]) => new Set([...all.keys()].sort((i, j) => all[j]! - all[i]!).slice(0, 3));
        const both = [...top(a)].filter((i) => top(b).has(i)).length;
        expect(pair!.spearman).toBeCloseTo(slowSpearman(a, b), 10);
        expect(pair!.overlap).toBeCloseTo(both / 3, 10);
        expect(pair!.chance).toBe(0.25);
      }),
    );
  });

  test("ties share their rank in the correlation", () => {
    const [pair] = agreements([[map([0, 0, 1, 2]), map([0, 1, 1, 5])]], 2, 1);
    expect(pair!.spearman).toBeCloseTo(slowSpearman([0, 0, 1, 2], [0, 1, 1, 5]), 10);
  });

  test("two maps without anything in them agree as chance does, wherever their ties lie", () => {
    const flat = new Float32Array(1000);
    expect(topOverlap(flat, flat, 100)).toBeGreaterThan(0.03);
    expect(topOverlap(flat, flat, 100)).toBeLessThan(0.2);
  });

  test("means are over the rows in which both methods have a map of one length", () => {
    const up = map([1, 2, 3, 4]);
    const down = map([4, 3, 2, 1]);
    const rows = [
      [up, up, undefined],
      [up, down, undefined],
      [up, undefined, map([1, 2])],
    ];
    const [ab, ac, bc] = agreements(rows, 3, 1);
    expect(ab).toMatchObject({ a: 0, b: 1, spearman: 0, overlap: 0.5, n: 2 });
    expect([ab!.lowest, ab!.highest]).toEqual([expect.closeTo(-1, 9), expect.closeTo(1, 9)]);
    expect(ac).toMatchObject({ spearman: undefined, overlap: undefined, n: 0 });
    expect(bc!.n).toBe(0);
  });

  test("the strongest are a number or a share", () => {
    expect([strongest(144, 0.1), strongest(144, 10), strongest(3, 0.1), strongest(5, 10)]).toEqual([14, 10, 1, 5]);
    expect([readTop(undefined), readTop("10"), readTop("0.2")]).toEqual([0.1, 10, 0.2]);
  });

  test("is written as lines and as CSV", () => {
    const columns = readColumns({ methods: ["lrp,attention-rollout"] }).map((column) => ({
      ...column,
      cost: undefined,
    }));
    const pairs = agreements([[map([1, 2, 3]), map([3, 2, 1])]], 2, 1);
    expect(agreementLines(columns, pairs).map((line) => line.split(/ +/))).toEqual([
      ["", "1", "2"],
      ["1", "lrp", "–", "−1.00"],
      ["2", "attention-rollout", "0.00", "–"],
    ]);
    expect(new Set(agreementLines(columns, pairs).map((line) => line.length)).size).toBe(1);
    const [head, line] = agreementCsv(columns, pairs).split("\r\n");
    expect(head!.split(",").length).toBe(line!.split(",").length);
    expect(line).toMatch(/^lrp,attention-rollout,true,false,1,-1,-1,-1,0,0\.333/);
    expect([figure(-0.001), figure(undefined), figure(0.456)]).toEqual(["0.00", "?", "0.46"]);
  });
});

describe("measuring", () => {
  test("takes turns, and keeps to its budget", async () => {
    const order: string[] = [];
    const task = (name: string) => async () => {
      order.push(name);
      await new Promise((done) => setTimeout(done, 2));
    };
    const times = await takeTurns({ a: task("a"), b: task("b") }, { rounds: 3, repeats: 2 });
    expect(order.join("")).toBe(`ab${"aabb".repeat(3)}`);
    expect(times.a).toHaveLength(3);
    const short = await takeTurns({ a: task("a") }, { rounds: 1000, warmup: 0, budget: 20 });
    expect(short.a.length).toBeLessThan(20);
  });

  test("gives medians and quartiles; ratios are formed within a round", () => {
    expect(spreadOf([5, 1, 3, 2, 4])).toEqual({ median: 3, low: 2, high: 4, rounds: 5 });
    expect(ratioOf([2, 40, 6], [1, 20, 2]).median).toBe(2);
  });
});
