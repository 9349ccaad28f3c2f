/** Targets: three ways to name one, and samples that do not see each other. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { array, open } from "../../../test/support/runtime.js";
import { type VitStyle, vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { cases, inputsOf, modelOf } from "./golden/golden.js";
import { methods } from "./support/methods.js";
import { distance, explained, feedsOf, sampleOf, targets } from "./support/program.js";

/** Float32 leaves this much undecided on these nets. */
const NOISE = 2e-3;
const style: VitStyle = { depth: 2, gain: 1 };
const draw = (count: number, seed: number): number[] => random(seed).normals(count);
const spellings: Record<string, VitStyle> = {
  "a class token": style,
  "mean pooling": { ...style, pooling: "mean", qkv: "separate" },
  "a decomposed norm": { ...style, norm: "decomposed", opset: 13 },
};

describe.each(methods.map((m) => m.id))("%s", (method) => {
  for (const [name, s] of Object.entries(spellings)) {
    const model = vit(s);
    const feeds = feedsOf(s, 3);

    test(`${name}: a batch is its samples one by one, whatever their classes`, async () => {
      const classes = [4, 0, 2];
      const together = await explained(model, { method }, { ...feeds, ...targets(...classes) });
      for (const [i, c] of classes.entries()) {
        const [alone] = await explained(model, { method }, { ...sampleOf(feeds, i), ...targets(c) });
        expect(distance(together[i]!, alone!), `sample ${i}`).toBeLessThan(NOISE);
      }
    });

    test(`${name}: index, weights and the model's own choice agree`, async () => {
      const session = await open(model);
      const { logits } = await session.run(feeds);
      await session.release();
      const rows = [0, 1, 2].map((i) => logits!.values.slice(5 * i, 5 * i + 5));
      const top = rows.map((row) => row.indexOf(Math.max(...row)));
      const expected = await explained(model, { method }, { ...feeds, ...targets(...top) });
      const hot = top.flatMap((t) => [0, 1, 2, 3, 4].map((c) => Number(c === t)));
      const weighted = { ...feeds, target: array("float32", hot, [3, 5]) };
      expect(await explained(model, { method, target: "weights" }, weighted)).toEqual(expected);
      expect(await explained(model, { method, target: "predicted" }, feeds)).toEqual(expected);
    });
  }
});

test("a text batch is its samples one by one, padding included", async () => {
  const c = cases[2]!;
  const [spelling] = c.spellings;
  const model = modelOf(c, spelling!.name);
  const [a, b] = ["sample0", "sample1"].map((s) => inputsOf(c, s, spelling!.inputs));
  const both = Object.fromEntries(
    Object.entries(a!).map(([name, x]) => [name, array(x.type, [...x.values, ...b![name]!.values], [2, x.dims[1]!])]),
  );
  for (const { id: method } of methods) {
    const together = await explained(model, { method }, { ...both, ...targets(1, 0) });
    const [first] = await explained(model, { method }, { ...a, ...targets(1) });
    const [second] = await explained(model, { method }, { ...b, ...targets(0) });
    expect(distance(together[0]!, first!), method).toBeLessThan(NOISE);
    expect(distance(together[1]!, second!), method).toBeLessThan(NOISE);
  }
});

test("weights are linear where the method is: half of one class and half of another", async () => {
  const model = vit(style);
  const feeds = feedsOf(style, 1);
  const method = "gradient-x-input";
  const [[a], [b]] = [
    await explained(model, { method }, { ...feeds, ...targets(1) }),
    await explained(model, { method }, { ...feeds, ...targets(3) }),
  ];
  const mixed = { ...feeds, target: array("float32", [0, 0.5, 0, 0.5, 0], [1, 5]) };
  const [half] = await explained(model, { method, target: "weights" }, mixed);
  expect(
    distance(
      half!,
      a!.map((v, i) => (v + b![i]!) / 2),
    ),
  ).toBeLessThan(1e-5);
});

describe("outputs with other axes", () => {
  /** tokens [batch, n, 3] -> scores of three classes for every token, or one score for every sample. */
  const model = (ending: (m: ModelWriter, y: string) => string) => {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("x", "float32", ["batch", "n", 3]);
    const A = m.op("Softmax", [m.op("MatMul", [x, m.op("Transpose", [x], { perm: [0, 2, 1] })])], { axis: -1 });
    const y = m.op("Add", [x, m.op("MatMul", [A, m.op("MatMul", [x, m.weights(draw(9, 2), [3, 3])])])]);
    m.output(ending(m, y), "float32", undefined, "y");
    return m.bytes();
  };
  const feeds = { x: array("float32", draw(24, 1), [2, 4, 3]) };
  const method = "gradient-x-input";

  test("token classification: a token and a class of each sample", async () => {
    const bytes = model((_, y) => y);
    const session = await open(bytes);
    const scores = (await session.run(feeds)).y!.values;
    await session.release();
    const best = [0, 1].map((i) => scores.slice(12 * i, 12 * i + 12)).map((row) => row.indexOf(Math.max(...row)));
    const places = best.flatMap((at) => [Math.floor(at / 3), at % 3]);
    const byIndex = await explained(bytes, { method }, { ...feeds, target: array("int64", places, [2, 2]) });
    const hot = best.flatMap((at) => Array.from({ length: 12 }, (_, i) => Number(i === at)));
    const weights = { ...feeds, target: array("float32", hot, [2, 4, 3]) };
    expect(await explained(bytes, { method, target: "weights" }, weights)).toEqual(byIndex);
    expect(await explained(bytes, { method, target: "predicted" }, feeds)).toEqual(byIndex);
  });

  test("one score: nothing to choose, the target is only how many samples there are", async () => {
    const score = (m: ModelWriter, y: string) => m.op("ReduceSum", [y, m.ints([1, 2])], { keepdims: 0 });
    const found = await explained(model(score), { method }, { ...feeds, ...targets(0, 0) });
    const column = (m: ModelWriter, y: string) => m.op("ReduceSum", [y, m.ints([1])], { keepdims: 0 });
    const ones = { ...feeds, target: array("float32", [1, 1, 1, 1, 1, 1], [2, 3]) };
    const expected = await explained(model(column), { method, target: "weights" }, ones);
    for (const i of [0, 1]) expect(distance(found[i]!, expected[i]!)).toBeLessThan(1e-6);
  });
});

test("the target's type and extents are those of the mode", () => {
  const model = vit(style);
  const read = (target: "index" | "weights" | "predicted") => compile(model, { target }).report.metadata!.target;
  expect(read("index")).toEqual({ name: "target", mode: "index", several: false, axes: ["class"] });
  expect(read("weights")).toEqual({ name: "target", mode: "weights", several: false, axes: ["class"] });
  expect(read("predicted")).toEqual({ name: null, mode: "predicted", several: false, axes: ["class"] });
});
