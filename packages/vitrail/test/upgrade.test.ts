/** Files of operator sets 7 to 10: written anew in set 11 they compute the same, bit for bit, and are explained like any other. */
import { describe, expect, test } from "vitest";
import { type ModelAttributes, ModelWriter, real } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { array, open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { originalBytes } from "../src/metadata.js";
import { opsetOf } from "../src/onnx/opset.js";
import { upgraded } from "../src/ops/upgrade.js";
import { tensorOf } from "../src/tensor/tensor.js";

const DIMS = [2, 4, 6, 6];
const { normals } = random(3);
const feed = array("float32", normals(288), DIMS);

type Build = (m: ModelWriter, x: string) => string;
const op =
  (name: string, attributes: ModelAttributes): Build =>
  (m, x) =>
    m.op(name, [x], attributes);
const scaled = (name: string, scales: number[], mode: string): Build => {
  return (m, x) => m.op(name, [x, m.constant(tensorOf("float32", scales))], { mode });
};

/** What changed between the sets, with the sets that have the old form. */
const FORMS: Readonly<Record<string, readonly [Build, readonly number[]]>> = {
  "Slice, axes": [op("Slice", { starts: [1, 0], ends: [4, -1], axes: [1, 3] }), [7, 8, 9]],
  "Slice, all axes": [op("Slice", { starts: [0, 1], ends: [2, 1000] }), [7, 9]],
  "Clip, both": [op("Clip", { min: real(-0.5), max: real(0.7) }), [7, 10]],
  "Clip, high": [op("Clip", { max: real(0.7) }), [7, 10]],
  "Clip, neither": [op("Clip", {}), [10]],
  "Pad, zeros": [op("Pad", { pads: [0, 0, 1, 2, 0, 0, 2, 0] }), [7, 10]],
  "Pad, a value": [op("Pad", { pads: [0, 0, 1, 2, 0, 0, 2, 0], value: real(0.5) }), [7, 10]],
  "Pad, reflect": [op("Pad", { pads: [0, 0, 1, 2, 0, 0, 2, 0], mode: "reflect" }), [7, 10]],
  "Upsample, factors as attribute": [op("Upsample", { scales: real([1, 1, 2, 3]), mode: "nearest" }), [7, 8]],
  "Upsample, factors as input": [scaled("Upsample", [1, 1, 2, 1.5], "nearest"), [9]],
  "Upsample, linear": [scaled("Upsample", [1, 1, 2, 2], "linear"), [9]],
  "Resize, larger": [scaled("Resize", [1, 1, 2, 1.5], "nearest"), [10]],
  "Resize, smaller": [scaled("Resize", [1, 1, 0.5, 0.6], "nearest"), [10]],
  "Resize, linear": [scaled("Resize", [1, 1, 0.5, 2], "linear"), [10]],
  "BatchNormalization, spatial": [
    (m, x) => m.op("BatchNormalization", [x, ...[1, 2, 3, 4].map(() => m.weights([1, 2, 3, 4], [4]))], { spatial: 1 }),
    [7, 8],
  ],
  Scatter: [
    (m, x) =>
      m.op("Scatter", [x, m.constant(tensorOf("int64", [1], [1, 1, 1, 1])), m.weights([9], [1, 1, 1, 1])], { axis: 2 }),
    [9, 10],
  ],
  "unchanged: a pool and a sum": [
    (m, x) => m.op("Add", [m.op("MaxPool", [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }), x]),
    [7, 8, 9, 10],
  ],
};

/** Bounds stand behind the input; a head makes logits of it. */
function model(build: Build, opset: number): Uint8Array {
  const m = new ModelWriter({ opset });
  const y = build(m, m.input("x", "float32", DIMS));
  m.output(y, "float32", undefined, "y");
  const pooled = m.op("GlobalAveragePool", [y]);
  m.output(m.op("Flatten", [pooled], { axis: 1 }), "float32", undefined, "logits");
  return m.bytes();
}

describe("the same numbers", () => {
  for (const [title, [build, opsets]] of Object.entries(FORMS))
    for (const opset of opsets)
      test(`${title}, opset ${opset}`, async () => {
        const old = model(build, opset);
        const bytes = upgraded(old);
        expect([opsetOf(old), opsetOf(bytes)]).toEqual([opset, 11]);
        const before = await run(old, ["y"]);
        const explained = compile(bytes, { method: "gradient-x-input", output: "logits" });
        const after = await run(explained.bytes, ["y", "relevance"], { target: array("int64", [0, 0], [2]) });
        expect(after.y).toEqual(before.y);
        expect(after.relevance!.values.some((v) => v !== 0)).toBe(true);
      });
});

async function run(bytes: Uint8Array, names: string[], more = {}) {
  const session = await open(bytes);
  const found = await session.run({ x: feed, ...more }, names);
  await session.release();
  return found;
}

test("an older file is compiled as what it was upgraded to, twice the same and back again", () => {
  const old = model(FORMS["Clip, both"]![0], 9);
  const [a, b] = [compile(old, { method: "lrp" }), compile(old, { method: "lrp" })];
  expect(a.bytes).toEqual(b.bytes);
  expect(originalBytes(a.bytes)).toEqual(upgraded(old));
  expect(compile(a.bytes, { method: "lrp" }).bytes).toEqual(a.bytes);
});

test("newer files stay as they are, byte for byte", () => {
  for (const opset of [11, 17, 21]) {
    const bytes = model(op("Relu", {}), opset);
    expect(upgraded(bytes)).toBe(bytes);
  }
});

test("what no later set has is refused by name", () => {
  const statistics = model(
    (m, x) =>
      m.op("BatchNormalization", [x, ...[1, 2, 3, 4].map(() => m.weights(normals(144), [4, 6, 6]))], { spatial: 0 }),
    7,
  );
  expect(() => compile(statistics)).toThrow(/E025 .* BatchNormalization/);
  expect(() => compile(model(op("Relu", {}), 6))).toThrow(/E025 .* opset 6/);
});

test("an extent of -1 is open, as other names are", async () => {
  const m = new ModelWriter({ opset: 11 });
  const x = m.input("x", "float32", [-1, 4, -1, -1]);
  m.output(m.op("Flatten", [m.op("GlobalAveragePool", [x])], { axis: 1 }), "float32", undefined, "logits");
  const { bytes } = compile(m.bytes(), { method: "gradient-x-input" });
  const { relevance } = await run(bytes, ["relevance"], { target: array("int64", [0, 1], [2]) });
  expect(relevance!.dims).toEqual(DIMS);
  expect(relevance!.values[0]).toBeCloseTo(feed.values[0]! / 36, 6);
});
