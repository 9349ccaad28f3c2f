/** What is said about how far an explanation's numbers can be trusted, against loops and against what must hold. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { run } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { VitrailError } from "../src/errors.js";
import { readMetadata } from "../src/metadata.js";
import { builtMethods } from "../src/methods/registry.js";
import { matmul, rows, sum } from "./support/loops.js";
import { distance, explained, feedsOf, sampleOf, targets } from "./support/program.js";
import { readings, Sketch } from "./support/relevance.js";

const draw = (count: number, seed: number) => random(seed).normals(count);

/** Weak relevance, all relevance and the magnification of one division, in loops. */
function reading(R: readonly number[], z: readonly number[], epsilon: number) {
  const mean = sum(z.map(Math.abs)) / z.length;
  const size = R.map(Math.abs);
  const weak = size.filter((_, i) => Math.abs(z[i]!) < Math.max(epsilon, 1e-3) * mean);
  const grown = size.map((r, i) => r * (mean / (Math.abs(z[i]!) + Math.max(epsilon, 1e-9) * mean)) ** 2);
  return { weak: sum(weak), all: sum(size), magnification: sum(grown) / sum(size) };
}

test("a method that has relevance rules has what steadies them", () => {
  const ruled = builtMethods.filter((m) => m.composite);
  expect(ruled.length).toBeGreaterThan(2);
  for (const { id, options } of ruled)
    expect(
      options.map((o) => o.name),
      id,
    ).toEqual(expect.arrayContaining(["stabilizer", "ridge"]));
});

test.each(["lrp", "partial-lrp"])(
  "%s: a ridge bounds what a cancelling addition makes of relevance",
  async (method) => {
    const model = vit({ depth: 3, gain: 4, seed: 5 });
    const feeds = { ...feedsOf({ seed: 5 }, 1), ...targets(1) };
    const size = async (ridge: number) => {
      const [row] = await explained(model, { method, ridge }, feeds);
      return Math.max(...row!.map(Math.abs));
    };
    expect(await size(0.3)).toBeLessThan(await size(0));
  },
);

describe("the reading of one addition", () => {
  // Of the first sample one sum nearly cancels.
  const [a, R] = [draw(24, 1), draw(24, 2)];
  const b = draw(24, 3).map((x, i) => (i === 4 ? -a[4]! * (1 + 1e-5) : x));

  test.each([
    ["exact", {}, 0],
    ["ridge", { ridge: 0.05 }, 0.05],
    ["shift", { stabilizer: 0.05 }, 0.05],
  ])("%s, per sample", async (_, options, epsilon) => {
    const m = new Sketch();
    const y = m.op("Add", [m.data("a", [2, 3, 4], a), m.data("b", [2, 3, 4], b)]);
    const found = await readings(m, { from: y, start: R, wanted: ["a"], ...options });
    for (const i of [0, 1]) {
      const at = (v: readonly number[]) => v.slice(12 * i, 12 * i + 12);
      const { weak, all, magnification } = reading(
        at(R),
        at(a).map((x, k) => x + at(b)[k]!),
        epsilon,
      );
      expect(distance(found[i]!.slice(0, 2), [weak / all, magnification])).toBeLessThan(1e-6);
    }
    expect(found[0]![0]).toBeGreaterThan(found[1]![0]!);
  });
});

test("of several divisions the shares are pooled and the worst magnification counts", async () => {
  const m = new Sketch();
  const [p, q, s, R] = [draw(12, 1), draw(12, 2), draw(9, 3), draw(9, 4)];
  const product = m.op("MatMul", [m.data("p", [1, 3, 4], p), m.data("q", [1, 4, 3], q)]);
  const y = m.op("Add", [m.data("s", [1, 3, 3], s), product]);
  const found = (await readings(m, { from: y, start: R, wanted: ["s", "p"] }))[0]!;
  const z = matmul(rows(p, 4), rows(q, 3)).flat();
  const total = z.map((x, i) => x + s[i]!);
  // What the product gets: its share of the addition, rescaled.
  const quotient = R.map((r, i) => r / (total[i]! + 1e-9));
  const [A, B] = [sum(quotient.map((x, i) => x * s[i]!)), sum(quotient.map((x, i) => x * z[i]!))];
  const arrived = quotient.map((x, i) => (x * z[i]! * Math.abs(B) * sum(R)) / ((Math.abs(A) + Math.abs(B)) * B));
  const [first, second] = [reading(R, total, 0), reading(arrived, z, 0)];
  expect(found[0]).toBeCloseTo((first.weak + second.weak) / (first.all + second.all), 9);
  expect(found[1]! / Math.max(first.magnification, second.magnification)).toBeCloseTo(1, 6);
});

describe("a compiled model", () => {
  const style = {
    depth: 3,
    width: 64,
    heads: 2,
    type: "float64",
    input: "tokens",
    norm: "decomposed",
    activation: "tanh",
  } as const;
  const model = vit(style);
  const feeds = feedsOf(style, 3);
  const asked = compile(model, { stability: true });
  const read = async (options: object, given: object, batch: number) => {
    const { stability } = await run(compile(model, { stability: true, ...options }).bytes, { ...feeds, ...given });
    const width = stability!.values.length / batch;
    return Array.from({ length: batch }, (_, i) => stability!.values.slice(i * width, (i + 1) * width));
  };

  test("has one more output, which the metadata names, and the same map", async () => {
    expect(readMetadata(asked.bytes)!.stability).toEqual({ name: "stability" });
    expect(readMetadata(compile(model).bytes)!.stability).toBeUndefined();
    const given = { ...feeds, ...targets(0, 1, 2) };
    const [plain, more] = [await explained(model, {}, given), await explained(model, { stability: true }, given)];
    expect(more).toEqual(plain);
  });

  test("keeps relevance from block to block", async () => {
    for (const [, , ...blocks] of await read({}, targets(0, 1, 2), 3)) {
      expect(blocks).toHaveLength(3);
      for (const sum of blocks) expect(sum).toBeCloseTo(1, 5);
    }
  });

  test("says what becomes of it with rules that do not conserve", async () => {
    for (const [, , ...blocks] of await read({ method: "lrp" }, targets(0, 1, 2), 3))
      expect(blocks.every((sum) => Math.abs(sum - 1) > 0.01)).toBe(true);
  });

  test("reads every sample by itself", async () => {
    const together = await read({}, targets(0, 1, 2), 3);
    for (const [i, row] of together.entries()) {
      const [alone] = await read({}, { ...sampleOf(feeds, i), ...targets(i) }, 1);
      expect(distance(row, alone!)).toBeLessThan(1e-6);
    }
  });

  test("reads every target of a run by itself", async () => {
    const several = compile(model, { stability: true, severalTargets: true });
    const target = { type: "int64", dims: [2, 3], values: [0, 1, 2, 3, 3, 3] } as const;
    const { stability } = await run(several.bytes, { ...feeds, target });
    const expected = [...(await read({}, targets(0, 1, 2), 3)), ...(await read({}, targets(3, 3, 3), 3))];
    expect(stability!.dims).toEqual([2, 3, 5]);
    expect(distance(stability!.values, expected.flat())).toBeLessThan(1e-6);
  });

  test("weak denominators show, and a ridge cures them", async () => {
    const [exact, ridge] = [await read({}, targets(0, 1, 2), 3), await read({ ridge: 1e-2 }, targets(0, 1, 2), 3)];
    for (const [i, row] of exact.entries()) {
      expect(ridge[i]![1]).toBeLessThan(row[1]!);
      expect(ridge[i]![1]).toBeLessThan(1e4);
    }
  });

  test.each([
    [
      "a method without denominators",
      { method: "generic-attention", stability: true },
      /"generic-attention" divides by/,
    ],
    ["two stabilisers at once", { stabilizer: 1e-3, ridge: 1e-3 }, /only one of them/],
  ])("%s is refused", (_, options, message) => {
    expect(() => compile(model, options)).toThrow(VitrailError);
    expect(() => compile(model, options)).toThrow(message);
  });
});
