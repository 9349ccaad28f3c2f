/** Methods of forward passes alone run on files that the compiler cannot read. */
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { prepare } from "../src/prepare.js";
import { type Feeds, tensor } from "../src/runtime/tensor.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { drivenExplainer } from "./support/driven.js";

const weights = (m: ModelWriter, dims: readonly number[], seed: number) =>
  m.constant(tensorOf("float32", random(seed).normals(dims.reduce((n, d) => n * d, 1)), dims));

async function occluded(model: Uint8Array, feeds: Feeds, options: object = {}) {
  const { explainer } = await drivenExplainer(model, { method: "occlusion", ...options });
  const explanation = await explainer.explain(feeds, { target: 0 });
  await explainer.close();
  return explanation;
}

/** Ids behind a mask, and an answer that goes through whole numbers: nothing can be differentiated. */
function counting(): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const mask = m.input("mask", "int64", ["batch", "tokens"]);
  const ids = m.input("words", "int64", ["batch", "tokens"]);
  const table = m.constant(tensorOf("float32", [0, 0, 1, 0, 5, 0, 7, 0], [4, 2]));
  const kept = m.op("Mul", [
    m.op("Gather", [table, ids]),
    m.op("Unsqueeze", [m.op("Cast", [mask], { to: 1 }), m.ints([2])]),
  ]);
  const whole = m.op("Cast", [m.op("ReduceSum", [kept, m.ints([1])], { keepdims: 0 })], { to: 7 });
  m.output(m.op("Cast", [whole], { to: 1 }), "float32", ["batch", 2], "logits");
  return m.bytes();
}

test("an answer that is not differentiable: the ids are found by the table, not by their place", async () => {
  const feeds = {
    mask: tensor(BigInt64Array.of(1n, 1n, 1n, 0n), [1, 4]),
    words: tensor(BigInt64Array.of(1n, 2n, 3n, 3n), [1, 4]),
  };
  expect(() => prepare(counting(), { method: "gradient-x-input" })).toThrow(/E032/);
  expect(() => prepare(counting(), { method: "integrated-gradients" })).toThrow(/E032/);
  const { driving, metadata, report } = prepare(counting(), { method: "occlusion" });
  expect(metadata.explains).toBe("words");
  expect(driving).toMatchObject({ ids: true, masks: ["mask"] });
  expect(report.diagnostics).toEqual([]);
  expect(report.evidence).toMatchObject([{ state: "missing", evidence: expect.stringContaining("E032") }]);
  const explanation = await occluded(counting(), feeds, { keepTokens: "none" });
  expect([...explanation.toTokens()]).toEqual([1, 5, 7, 0]);
});

/** A picture through operators that nobody knows the shapes of: a sequence of its halves. */
function sequences(): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("image", "float32", ["batch", 3, 28, 28]);
  const halves = m.op("SplitToSequence", [x, m.constant(tensorOf("int64", 14))], { axis: 2 });
  const joined = m.op("ConcatFromSequence", [halves], { axis: 2 });
  const flat = m.op("Flatten", [joined], { axis: 1 });
  m.output(m.op("MatMul", [flat, weights(m, [3 * 28 * 28, 2], 4)]), "float32", ["batch", 2], "logits");
  return m.bytes();
}

test.each(["occlusion", "rise"])("%s of a picture that goes through a sequence", async (method) => {
  const image = tensor(Float32Array.from(random(1).normals(3 * 28 * 28)), [1, 3, 28, 28]);
  const explanation = await occluded(sequences(), { image }, { method, ...(method === "rise" && { masks: 8 }) });
  expect(explanation.toGrid()).toMatchObject({ rows: 14, columns: 14 });
  expect(explanation.problem()).toBeUndefined();
});

test("a malformed file is no file that runs", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("x", "float32", ["batch", 2, 3]);
  m.output(m.op("Transpose", [x], { perm: [0, 0, 7] }), "float32", ["batch", 3, 2], "y");
  expect(() => prepare(m.bytes(), { method: "occlusion" })).toThrow(/E001/);
});

test("what is asked for by a wrong name is refused as ever", () => {
  for (const [options, code] of [
    [{ output: "nothing" }, /E012/],
    [{ explains: "nothing" }, /E013/],
  ] as const)
    expect(() => prepare(counting(), { method: "occlusion", ...options })).toThrow(code);
});
