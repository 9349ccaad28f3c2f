/** What holds for methods as a whole: batches, classes, seeds, ablations. */
import { describe, expect, test } from "vitest";
import { array } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { methods } from "../src/methods/registry.js";
import { type CompileOptions, resolveOptions } from "../src/options.js";
import { methods as general } from "./support/methods.js";
import { distance, explained, feedsOf, sampleOf, targets } from "./support/program.js";

describe("every method", () => {
  const style = { input: "tokens", type: "float64", activation: "tanh", pooling: "class" } as const;
  const model = vit(style);
  const feeds = { ...feedsOf(style, 2), ...targets(1, 3) };

  test.each(general.map(({ id }) => id))("%s: a sample's map does not depend on its batch", async (method) => {
    const both = await explained(model, { method }, feeds);
    for (const [i, row] of both.entries()) {
      const [alone] = await explained(model, { method }, sampleOf(feeds, i));
      expect(row.every(Number.isFinite)).toBe(true);
      expect(distance(alone!, row)).toBeLessThan(1e-5);
    }
  });

  test("random numbers know nothing but the token and the seed", async () => {
    const [first, second] = await explained(model, { method: "random" }, feeds);
    expect(second).toEqual(first);
    expect(new Set(first).size).toBe(first!.length);
    expect(first!.every((v) => v >= 0 && v < 1)).toBe(true);
    expect((await explained(model, { method: "random", seed: 1 }, feeds))[0]).not.toEqual(first);
  });
});

test.each(methods.map((m) => [m.id, m] as const))("%s: the defaults are values that its options may have", (id, m) => {
  const given = Object.fromEntries(m.options.map(({ name, default: value }) => [name, value]));
  expect(resolveOptions({ method: id, ...given }).values).toEqual(given);
});

describe("the paper's ablations of transformer attribution", () => {
  const style = { input: "tokens", type: "float64", activation: "tanh" } as const;
  const model = vit(style);
  const feeds = { ...feedsOf(style, 1), ...targets(1) };
  const of = async (options: CompileOptions) => (await explained(model, options, feeds))[0]!;

  test("a single block is all blocks from the last one on", async () => {
    const last = await of({ startLayer: 2, singleBlock: true });
    expect(last).toEqual(await of({ startLayer: 2 }));
    expect(distance(await of({ startLayer: 1, singleBlock: true }), last)).toBeGreaterThan(1e-2);
  });
  test("without the gradient no gradient is computed", async () => {
    const found = await of({ gradient: false });
    expect(distance(found, await of({}))).toBeGreaterThan(1e-2);
  });
});

test("seeds of weights feed the modified gradients too", async () => {
  const style = { input: "tokens", type: "float64", activation: "tanh" } as const;
  const model = vit(style);
  const of = async (values: readonly number[]) => {
    const target = array("float32", values, [1, 5]);
    return (await explained(model, { method: "cp-lrp", target: "weights" }, { ...feedsOf(style, 1), target }))[0]!;
  };
  const [a, c] = [await of([0, 1, 0, 0, 0]), await of([0, 0, 1, 0, 0])];
  const difference = await of([0, 1, -1, 0, 0]);
  expect(
    distance(
      difference,
      a.map((v, i) => v - c[i]!),
    ),
  ).toBeLessThan(1e-5);
});
