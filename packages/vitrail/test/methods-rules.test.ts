/** The rules of the baseline that the paper compares with, against plain loops. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { chefer2021Input, lrp2021 } from "../src/relevance/composites.js";
import { addition, guarded, rows, sum } from "./support/loops.js";
import { distance } from "./support/program.js";
import { pulled, Sketch } from "./support/relevance.js";

const draw = (count: number, seed: number): number[] => random(seed).normals(count);

describe("the baseline's rules", () => {
  test("z+ with two denominators", async () => {
    const [x, weights, R] = [draw(10, 1), draw(20, 2), draw(8, 3)];
    const m = new Sketch();
    m.op("MatMul", [m.data("x", [1, 2, 5], x), m.fixed(weights, [5, 4])], {}, ["y"]);
    const found = await pulled(m, { from: "y", start: R, wanted: ["x"], composite: lrp2021 });
    const W = rows(weights, 4);
    const half = (t: readonly number[], n: number, part: (v: number) => number) => {
      const z = W[0]!.map((_, k) => sum(t.map((v, i) => part(v) * part(W[i]![k]!))));
      return t.map((v, i) => sum(z.map((d, k) => part(v) * part(W[i]![k]!) * guarded(rows(R, 4)[n]![k]!, d))));
    };
    const expected = rows(x, 5).map((t, n) => {
      const [up, down] = [half(t, n, (v) => Math.max(v, 0)), half(t, n, (v) => Math.min(v, 0))];
      return up.map((v, i) => v + down[i]!);
    });
    expect(distance(found.x!, expected.flat())).toBeLessThan(1e-9);
  });

  test("positions take their share, biases do not", async () => {
    const [x, positions, R] = [draw(6, 1), draw(6, 2), draw(6, 3)];
    const at = async (constant: readonly number[], dims: readonly number[]) => {
      const m = new Sketch();
      m.op("Add", [m.data("x", [1, 2, 3], x), m.fixed(constant, dims)], {}, ["y"]);
      return (await pulled(m, { from: "y", start: R, wanted: ["x"], composite: lrp2021 })).x!;
    };
    const shared = x.map((v, i) => v * guarded(R[i]!, v + positions[i]!));
    expect(distance(await at(positions, [1, 2, 3]), shared)).toBeLessThan(1e-9);
    expect(await at(positions.slice(0, 3), [3])).toEqual(R);
  });

  test("the method's own rules: positions take part in the normalised addition, biases do not", async () => {
    const [x, positions, R] = [draw(6, 1), draw(6, 2), draw(6, 3)];
    const at = async (constant: readonly number[], dims: readonly number[]) => {
      const m = new Sketch();
      m.op("Add", [m.data("x", [1, 2, 3], x), m.fixed(constant, dims)], {}, ["y"]);
      return (await pulled(m, { from: "y", start: R, wanted: ["x"], composite: chefer2021Input })).x!;
    };
    expect(distance(await at(positions, [1, 2, 3]), addition(x, positions, R)[0])).toBeLessThan(1e-9);
    expect(await at(positions.slice(0, 3), [3])).toEqual(R);
  });

  test("a picture cut into patches is bounded by its least and greatest pixel", async () => {
    const [x, weights, R] = [draw(3 * 16, 1), draw(2 * 3 * 4, 2), draw(2 * 4, 3)];
    const m = new Sketch();
    const picture = m.data("x", [1, 3, 4, 4], x);
    const cut = m.op("Reshape", [picture, m.ints([1, 3, 2, 2, 2, 2])]);
    const patches = m.op("Reshape", [m.op("Transpose", [cut], { perm: [0, 2, 4, 1, 3, 5] }), m.ints([1, 4, 12])]);
    m.op("MatMul", [patches, m.fixed(weights, [12, 2])], {}, ["y"]);
    const [low, high] = [Math.min(...x), Math.max(...x)];
    const expected = x.map(() => 0);
    for (let out = 0; out < 2; out++)
      for (let patch = 0; patch < 4; patch++) {
        const taps = Array.from({ length: 12 }, (_, tap) => {
          const [channel, row, column] = [tap >> 2, 2 * (patch >> 1) + ((tap >> 1) & 1), 2 * (patch & 1) + (tap & 1)];
          const at = 16 * channel + 4 * row + column;
          const w = weights[2 * tap + out]!;
          return { at, part: x[at]! * w - low * Math.max(w, 0) - high * Math.min(w, 0) };
        });
        const z = sum(taps.map((t) => t.part));
        for (const { at, part } of taps) expected[at]! += part * guarded(R[2 * patch + out]!, z);
      }
    const found = await pulled(m, { from: "y", start: R, wanted: ["x"], composite: lrp2021 });
    expect(distance(found.x!, expected)).toBeLessThan(1e-6);
    expect(sum(found.x!)).toBeCloseTo(sum(R), 4);
  });
});
