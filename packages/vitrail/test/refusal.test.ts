/** What is refused, and what people read then: the full text of one case of each kind. `test.fails`: wanted, not there yet. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ModelWriter, real } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { VitrailError } from "../src/errors.js";
import { inspect } from "../src/inspect.js";
import { builtMethods, methods } from "../src/methods/registry.js";
import type { CompileOptions } from "../src/options.js";
import { tensorOf } from "../src/tensor/tensor.js";

const { normals } = random(5);
const WIDTH = 4;
const picture = { depth: 1, size: 4, patch: 2, width: 6, heads: 2, mlpRatio: 1, classes: 3 } as const;

/** Tokens [batch, 3, 4] that attend to each other, up to the class logits; `change` puts something in between. */
function sketch(change: (m: ModelWriter, x: string) => string, attends = true): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("tokens", "float32", ["batch", 3, WIDTH]);
  const attended = attends ? attention(m, x) : m.op("Tanh", [linear(m, x, WIDTH)]);
  const pooled = m.op("ReduceMean", [change(m, attended)], { axes: [1], keepdims: 0 });
  m.output(linear(m, pooled, 2), "float32", ["batch", 2], "logits");
  return m.bytes();
}

const linear = (m: ModelWriter, x: string, to: number): string =>
  m.op("MatMul", [x, m.weights(normals(WIDTH * to), [WIDTH, to])]);

function attention(m: ModelWriter, x: string): string {
  const [q, k, v] = [linear(m, x, WIDTH), linear(m, x, WIDTH), linear(m, x, WIDTH)];
  const scores = m.op("MatMul", [q, m.op("Transpose", [k], { perm: [0, 2, 1] })]);
  return m.op("MatMul", [m.op("Softmax", [scores], { axis: -1 }), v]);
}

const lines = (...of: readonly string[]): string => of.join("\n");

function refusal(model: Uint8Array, options: CompileOptions = {}): string {
  try {
    compile(model, options);
  } catch (error) {
    expect(error).toBeInstanceOf(VitrailError);
    return (error as Error).message;
  }
  return "compiled";
}

/** A branch that doubles or negates a value of the graph around it. */
function branch(operator: string, x: string, name: string) {
  const inner = new ModelWriter({ opset: 17 });
  inner.output(inner.op(operator, [x], {}, [name]), "float32", ["batch", 3, WIDTH]);
  return inner.graph(name);
}

test("an unknown operator is named, not the convolution behind it that misses a rank", () => {
  const model = sketch((m, x) => {
    const picture = m.op("Unsqueeze", [m.op("Det3", [x]), m.constant(tensorOf("int64", [1]))]);
    const kernel = m.weights(normals(1), [1, 1, 1, 1]);
    return m.op("Squeeze", [
      m.op("Conv", [picture, kernel, m.weights([0.1], [1])]),
      m.constant(tensorOf("int64", [1])),
    ]);
  });
  const text = refusal(model);
  expect(text).toMatch(/^E020 unknown operator Det3\n/);
  expect(text).not.toMatch(/E024|Conv/);
});

test("no way back: an operator that nobody could differentiate", () => {
  const model = sketch((m, x) => {
    const indices = m.op("NonMaxSuppression", [x, m.op("Transpose", [x], { perm: [0, 2, 1] })]);
    return m.op("Add", [x, m.op("ReduceSum", [m.op("Cast", [indices], { to: 1 })], { keepdims: 0 })]);
  });
  expect(refusal(model)).toMatchInlineSnapshot(`
    "E021 no gradient for operator NonMaxSuppression
      at    node "/NonMaxSuppression_8" (NonMaxSuppression)
      why   the explained output depends on it, and it is not differentiable
      try   export the model without it, or a method that needs nothing but forward passes ("vitrail methods" says which)"
  `);
});

test("no way back: the text names the outputs that do not need that way", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("tokens", "float32", ["batch", 3, WIDTH]);
  const attended = attention(m, x);
  const boxes = m.op("NonMaxSuppression", [attended, m.op("Transpose", [attended], { perm: [0, 2, 1] })]);
  const kept = m.op("ReduceSum", [m.op("Cast", [boxes], { to: 1 })], { keepdims: 0 });
  m.output(m.op("Mul", [kept, attended]), "float32", ["batch", 3, WIDTH], "detections");
  m.output(linear(m, attended, 2), "float32", ["batch", 3, 2], "class_logits");
  expect(refusal(m.bytes(), { output: "detections" })).toContain("E021 no gradient for operator NonMaxSuppression\n");
  expect(refusal(m.bytes(), { output: "detections" })).toContain(
    '  try   --output "class_logits", which does not depend on it',
  );
  expect(refusal(m.bytes(), { output: "class_logits" })).toBe("compiled");
});

test("no way back: an operator in a mode whose gradient is not covered", () => {
  const model = sketch((m, x) => {
    const first = m.constant(tensorOf("int64", [0, 0, 0], [1, 3]));
    return m.op("ScatterND", [x, first, m.weights([2], [1])], { reduction: "mul" });
  });
  expect(refusal(model)).toMatchInlineSnapshot(`
    "E021 no gradient for operator ScatterND
      at    node "/ScatterND_7" (ScatterND)
      why   reduction mul is not covered
      try   export the model without it, or use a method that needs no gradient"
  `);
});

test("operators without an entry: all of them at once", () => {
  const model = sketch((m, x) => m.op("my.domain::Swirl", [m.op("my.domain::Twist", [m.op("Tanh", [x])]), x]));
  expect(refusal(model)).toMatchInlineSnapshot(`
    "E020 unknown operator my.domain::Twist
      at    node "/Twist_8" (my.domain::Twist)
      why   the explained output depends on it, and nothing is known of its gradient
      try   export the model without it, or a method that needs nothing but forward passes ("vitrail methods" says which)
    E020 unknown operator my.domain::Swirl
      at    node "/Swirl_9" (my.domain::Swirl)
      why   the explained output depends on it, and nothing is known of its gradient
      try   export the model without it, or a method that needs nothing but forward passes ("vitrail methods" says which)"
  `);
});

test("an operator without an entry beside the path is harmless", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("tokens", "float32", ["batch", 3, WIDTH]);
  const pooled = m.op("ReduceMean", [attention(m, x)], { axes: [1], keepdims: 0 });
  m.output(linear(m, pooled, 2), "float32", ["batch", 2], "logits");
  m.output(m.op("my.domain::Swirl", [x]), "float32", ["batch", 3, WIDTH], "swirled");
  expect(refusal(m.bytes(), { output: "logits" })).toBe("compiled");
});

test("a branch that the data choose", () => {
  const model = sketch((m, x) => {
    const condition = m.op("Greater", [m.op("ReduceMax", [x], { keepdims: 0 }), m.scalar(0)]);
    return m.op("If", [condition], { then_branch: branch("Tanh", x, "then"), else_branch: branch("Neg", x, "else") });
  });
  expect(refusal(model)).toBe(
    lines(
      "E023 control flow cannot be resolved: If",
      '  at    node "/If_9" (If)',
      "  why   the explained output depends on it, and its condition is known only when the model runs",
      '  try   export the model without it, or a method that needs nothing but forward passes ("vitrail methods" says which)',
    ),
  );
});

test("a loop", () => {
  const model = sketch((m, x) => {
    const body = new ModelWriter({ opset: 17 });
    body.input("i", "int64", []);
    body.input("go", "bool", []);
    body.input("state", "float32", ["batch", 3, WIDTH]);
    body.output(body.op("Identity", ["go"], {}, ["go_on"]), "bool", []);
    body.output(body.op("Tanh", ["state"], {}, ["next"]), "float32", ["batch", 3, WIDTH]);
    return m.op("Loop", [m.ints([3]), undefined, x], { body: body.graph("body") });
  });
  expect(refusal(model)).toBe(
    lines(
      "E023 control flow cannot be resolved: Loop",
      '  at    node "/Loop_7" (Loop)',
      "  why   the explained output depends on it, and how often it runs is known only when the model runs",
      '  try   export the model without it, or a method that needs nothing but forward passes ("vitrail methods" says which)',
    ),
  );
});

/** Rows of [batch, 3, 4] cut or grouped by a number that is computed from their content. */
const countOf = (m: ModelWriter, x: string): string =>
  m.op("ReduceSum", [m.op("Cast", [m.op("Greater", [x, m.weights([0], [1])])], { to: 7 })], { keepdims: 0 });

test("tokens at sizes that only the data decide: a slice", () => {
  const model = sketch((m, x) => {
    const end = m.op("Unsqueeze", [countOf(m, x), m.ints([0])]);
    return m.op("Slice", [x, m.ints([0]), end, m.ints([1])]);
  });
  expect(refusal(model)).toMatchInlineSnapshot(`
    "E031 token layout not understood
      at    node "/Slice_11" (Slice)
      why   tokens are sliced at bounds that only the data decide
      try   export the model with a fixed size of its input; or a method that explains the input instead of tokens, such as gradient-x-input"
  `);
});

test("tokens at sizes that only the data decide: padding", () => {
  const model = sketch((m, x) => {
    const more = m.op("Unsqueeze", [countOf(m, x), m.ints([0])]);
    return m.op("Pad", [x, m.op("Concat", [m.ints([0, 0, 0, 0]), more, m.ints([0])], { axis: 0 })]);
  });
  expect(refusal(model, { method: "generic-attention" })).toMatchInlineSnapshot(`
    "E031 token layout not understood
      at    node "/Pad_12" (Pad)
      why   tokens are padded by an amount that only the data decide
      try   export the model with a fixed size of its input; or a method that explains the input instead of tokens, such as gradient-x-input"
  `);
});

test("tokens at sizes that only the data decide: a regrouping", () => {
  const model = sketch((m, x) => {
    const more = m.op("Unsqueeze", [countOf(m, x), m.ints([0])]);
    return m.op("Reshape", [x, m.op("Concat", [m.ints([-1]), more, m.ints([WIDTH])], { axis: 0 })]);
  });
  expect(refusal(model, { method: "generic-attention" })).toMatchInlineSnapshot(`
    "E031 token layout not understood
      at    node "/Reshape_12" (Reshape)
      why   the tokens cannot be followed through it (batch x 3 x 4)
      try   export the model with a fixed size of its input; or a method that explains the input instead of tokens, such as gradient-x-input"
  `);
});

test("no attention for a method that needs it; the others still work", () => {
  const model = sketch((_, x) => x, false);
  const working = builtMethods.filter((m) => refusal(model, { method: m.id }) === "compiled").map((m) => m.id);
  expect(working).toEqual(builtMethods.filter((m) => !m.needs.includes("attention")).map((m) => m.id));
});

test("no attention: the text names every method that works", () => {
  const working = methods.filter((m) => !m.needs.includes("attention")).map((m) => `"${m.id}"`);
  expect(refusal(sketch((_, x) => x, false))).toBe(
    lines(
      "E030 no attention found",
      '  at    output "logits", input "tokens"',
      '  why   the method "transformer-attribution" aggregates attention, and no softmax of this model weighs data',
      `  try   a method that needs no attention: ${working.join(", ")}`,
    ),
  );
});

test("no attention: softmaxes that are mixed between heads before they weigh data", () => {
  const model = sketch((m, x) => {
    const [q, k, v] = [linear(m, x, WIDTH), linear(m, x, WIDTH), linear(m, x, WIDTH)];
    const scores = m.op("MatMul", [q, m.op("Transpose", [k], { perm: [0, 2, 1] })]);
    const mixed = m.op("MatMul", [m.op("Softmax", [scores], { axis: -1 }), m.weights(normals(9), [3, 3])]);
    return m.op("MatMul", [mixed, v]);
  }, false);
  expect(refusal(model).split("\n").slice(0, 3).join("\n")).toMatchInlineSnapshot(`
    "E030 no attention found
      at    output "logits", input "tokens"
      why   the method "transformer-attribution" aggregates attention, and its softmax does not go into a product with data by itself (mixed between heads, or multiplied element by element?): node "/Softmax_7" (Softmax)"
  `);
});

test("a model that was exported in training mode", () => {
  const model = sketch((m, x) => m.op("Dropout", [x, m.scalar(0.1), m.constant(tensorOf("bool", 1))]));
  expect(refusal(model)).toMatchInlineSnapshot(`
    "E025 operator used in a way that is not covered: Dropout
      at    node "/Dropout_7" (Dropout)
      why   it was exported in training mode: every run drops other values, and no two explanations would agree
      try   export again after model.eval(), without training=TrainingMode.TRAINING"
  `);
  expect(refusal(sketch((m, x) => m.op("Dropout", [x, m.scalar(0.1), m.constant(tensorOf("bool", 0))])))).toBe(
    "compiled",
  );
});

/** Patches of 2 x 2 pixels cut by a convolution in onnxruntime's own layout. */
function savedForOneProcessor(): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("pixels", "float32", ["batch", 3, 4, 4]);
  const kernel = m.weights(normals(16 * 12), [16, 3, 2, 2]);
  const blocks = m.op("com.microsoft.nchwc::Conv", [x, kernel], { strides: [2, 2] });
  const cells = m.op("com.microsoft.nchwc::ReorderOutput", [blocks], { channels: 16 });
  const tokens = m.op("Transpose", [m.op("Reshape", [cells, m.ints([0, 16, -1])])], { perm: [0, 2, 1] });
  const attended = attention(m, m.op("MatMul", [tokens, m.weights(normals(16 * WIDTH), [16, WIDTH])]));
  const pooled = m.op("ReduceMean", [attended], { axes: [1], keepdims: 0 });
  m.output(linear(m, pooled, 2), "float32", ["batch", 2], "logits");
  return m.bytes();
}

test("weights in an order that only one processor knows: what needs them is refused, token methods are not", () => {
  expect(refusal(savedForOneProcessor(), { method: "gradient-x-input" })).toMatchInlineSnapshot(`
    "E021 no gradient for operator com.microsoft.nchwc::ReorderOutput
      at    node "/ReorderOutput_1" (com.microsoft.nchwc::ReorderOutput)
      why   onnxruntime saved it for one processor, with weights in an order that the file does not name
      try   save the model with level extended instead of all (ORT_ENABLE_EXTENDED), or take the file before that"
  `);
  const { report } = compile(savedForOneProcessor());
  expect(report.metadata!.tokens).toEqual({ prefix: 0, grid: [2, 2], stride: null });
});

test("a decoder with a cache: the operator of opset 23", () => {
  const m = new ModelWriter({ opset: 23, irVersion: 11 });
  const x = m.input("tokens", "float32", ["batch", 3, WIDTH]);
  const past = ["past_keys", "past_values"].map((name) => m.input(name, "float32", ["batch", 1, "past", WIDTH]));
  const heads = { q_num_heads: 1, kv_num_heads: 1, scale: real(1) };
  const attended = m.op("Attention", [x, x, x, undefined, ...past], heads, 3);
  m.output(linear(m, attended, 2), "float32", ["batch", 3, 2], "logits");
  expect(refusal(m.bytes())).toMatchInlineSnapshot(`
    "E033 decoder with a cache
      at    node "/Attention_0" (Attention)
      why   it keeps a cache of keys and values
      try   export the model without a cache (use_cache=False, a task without -with-past)"
  `);
});

test("a decoder with a cache: keys and values joined to earlier ones", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.op("Gather", [
    m.weights(normals(9 * WIDTH), [9, WIDTH]),
    m.input("input_ids", "int64", ["batch", "new"]),
  ]);
  const [k, v] = ["key", "value"].map((name) => {
    const past = m.input(`past_key_values.0.${name}`, "float32", ["batch", "past", WIDTH]);
    const joined = m.op("Concat", [past, linear(m, x, WIDTH)], { axis: 1 });
    return m.output(joined, "float32", ["batch", "all", WIDTH], `present.0.${name}`);
  });
  const scores = m.op("MatMul", [linear(m, x, WIDTH), m.op("Transpose", [k!], { perm: [0, 2, 1] })]);
  const attended = m.op("MatMul", [m.op("Softmax", [scores], { axis: -1 }), v!]);
  m.output(linear(m, attended, 9), "float32", ["batch", "new", 9], "logits");
  expect(refusal(m.bytes(), { output: "logits" })).toBe(
    lines(
      "E033 decoder with a cache",
      '  at    input "past_key_values.0.key"',
      "  why   it keeps a cache of keys and values",
      "  try   export the model without a cache (use_cache=False, a task without -with-past)",
    ),
  );
});

test("wrong names", () => {
  const model = vit(picture);
  expect(refusal(model, { output: "probabilities" })).toBe(
    lines('E012 no such output "probabilities"', "  why   the model has logits", '  try   --output "logits"'),
  );
  expect(refusal(model, { explains: "image" })).toBe(
    lines(
      'E013 no such input "image"',
      "  why   the explained output depends on pixel_values in a differentiable way",
      "  try   --explains pixel_values",
    ),
  );
  expect(refusal(model, { method: "transformer" })).toBe(
    lines(
      'E010 unknown method "transformer"',
      `  why   the methods are ${methods.map((m) => m.id).join(", ")}`,
      "  try   transformer-attribution",
    ),
  );
  expect(refusal(model, { target: "class" as "index" })).toBe(
    lines(
      'E015 no such target mode "class"',
      "  why   the modes are index, weights, predicted",
      '  try   "index", unless the class is not known',
    ),
  );
});

test("wrong options: all of them at once", () => {
  const known = methods.find((m) => m.id === "generic-attention")!.options.map((o) => o.name);
  const options = { method: "generic-attention", startLayer: -1, steps: 5, normalizeRows: "yes" };
  expect(refusal(vit(picture), options)).toBe(
    lines(
      'E016 bad value of option "startLayer"',
      "  why   -1 is no whole number from 0 on",
      "  try   a value like 0, which is the default",
      'E011 unknown option "steps"',
      `  why   "generic-attention" knows ${known.join(", ")}`,
      "  try   one of these, or leave it out",
      'E016 bad value of option "normalizeRows"',
      '  why   "yes" is no boolean',
      "  try   a value like false, which is the default",
    ),
  );
});

test("an output that does not depend on data", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("tokens", "float32", ["batch", 3, WIDTH]);
  m.output(m.op("ArgMax", [attention(m, x)], { axis: -1 }), "int64", ["batch", 3, 1], "best");
  expect(refusal(m.bytes())).toMatchInlineSnapshot(`
    "E032 nothing to explain
      why   no output depends on the input in a differentiable way (best)
      try   export the model with its logits or embeddings as an output"
  `);
});

/** The mean attention of a block, [tokens, tokens] of a batch of one, as a model that maps atoms to atoms gives it. */
function pairs(batch: number | string, tokens: number | string, keep: boolean): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const x = attention(m, m.input("atoms", "float32", [batch, tokens, WIDTH]));
  const scores = m.op("MatMul", [x, m.op("Transpose", [x], { perm: [0, 2, 1] })]);
  const weights = m.op("Softmax", [scores], { axis: -1 });
  const own = keep ? weights : m.op("Gather", [weights, m.constant(tensorOf("int64", 0))], { axis: 0 });
  m.output(own, "float32", keep ? [batch, tokens, tokens] : [tokens, tokens], "pairs");
  return m.bytes();
}

test("an output that has lost the samples", () => {
  expect(refusal(pairs(1, "atoms", false))).toMatchInlineSnapshot(`
    "E042 the explained output has no axis of samples
      at    output "pairs" [atoms, atoms]
      why   its first axis is axis 1 of input "atoms": its rows are no samples
      try   another output with --output; or export the model with the batch as the output's first axis"
  `);
  expect(refusal(pairs(1, 3, false))).toMatchInlineSnapshot(`
    "E042 the explained output has no axis of samples
      at    output "pairs" [3, 3]
      why   it has 3 rows, and the inputs are one sample: its rows are no samples
      try   another output with --output; or export the model with the batch as the output's first axis"
  `);
  expect(inspect(pairs(1, 3, false), { method: "occlusion" }).diagnostics[0]).toMatchObject({ code: "E042" });
  for (const tokens of [3, "atoms"]) expect(() => compile(pairs(1, tokens, true))).not.toThrow();
  expect(() => compile(pairs("batch", "atoms", true))).not.toThrow();
});

test("bytes that are no model", () => {
  expect(refusal(new Uint8Array())).toMatchInlineSnapshot(`
    "E001 not a valid ONNX model
      at    the file
      why   it is empty
      try   download or export it again"
  `);
  expect(refusal(new TextEncoder().encode("<!doctype html>"))).toMatchInlineSnapshot(`
    "E001 not a valid ONNX model
      at    the file
      why   it cannot be read as protobuf, so it is truncated or something else
      try   check that the download is complete and that this is a .onnx file"
  `);
});

test.each(["siglip", "clip"])("%s: every method works, or says why not", (family) => {
  const file = new URL(`../../../test/collection/${family}/dynamo-op18-sdpa.onnx`, import.meta.url);
  const bytes = readFileSync(file);
  for (const { id } of builtMethods) expect(refusal(bytes, { method: id }), id).toMatch(/^compiled$|^E0[23]/);
});
