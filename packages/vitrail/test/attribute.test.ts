/** Attributes keep their kind from the file to the patch. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelWriter, real } from "../../../test/support/model.js";
import { array, run } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { VitrailError } from "../src/errors.js";
import { type Attribute, type Attributes, float, int, ints, typed } from "../src/ir/attribute.js";
import { readAttributes, writeAttributes } from "../src/ir/attribute-proto.js";
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
} from "../src/onnx/generated/onnx_pb.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { distance, targets } from "./support/program.js";

const whole = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
const single = fc.float({ noNaN: true });
const anyAttribute: fc.Arbitrary<Attribute> = fc.oneof(
  whole.map((value) => ({ kind: "int", value }) as const),
  single.map((value) => ({ kind: "float", value }) as const),
  fc.string({ unit: "binary-ascii" }).map((value) => ({ kind: "string", value }) as const),
  fc.array(whole).map((value) => ({ kind: "ints", value }) as const),
  fc.array(single).map((value) => ({ kind: "floats", value }) as const),
  fc.array(fc.string({ unit: "binary-ascii" })).map((value) => ({ kind: "strings", value }) as const),
  fc.array(single, { minLength: 1 }).map((v) => ({ kind: "tensor", value: tensorOf("float32", v) }) as const),
  fc.string().map((name) => ({ kind: "graph", value: create(GraphProtoSchema, { name }) }) as const),
);

test("an attribute of any kind is read back as it was written", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]+$/), anyAttribute), (attributes: Attributes) => {
      expect(readAttributes(writeAttributes(attributes))).toEqual(attributes);
    }),
  );
});

test("of another kind than the operator has it, it is an error at the node", () => {
  const node = { operator: "Softmax", source: "/head/Softmax", attributes: typed({ axis: "1" }) };
  expect(() => int(node, "axis", -1)).toThrow(VitrailError);
  expect(() => int(node, "axis", -1)).toThrow(/E001.*\n.*"\/head\/Softmax" \(Softmax\)\n.*"axis" is of kind string/);
  expect(int(node, "other", -1)).toBe(-1);
  expect(ints(node, "other")).toBeUndefined();
  expect(() => float({ ...node, attributes: typed({ alpha: 1 }) }, "alpha")).toThrow(/kind int/);
});

/** A model whose file does not show selu(x), the factor of a square: the patch computes it. */
function squareOfSelu(alpha: number, gamma: number): Uint8Array {
  const m = new ModelWriter({ opset: 17, domains: { "my.domain": 1 } });
  const x = m.input("x", "float32", ["batch", 4]);
  m.output(m.op("MatMul", [m.op("my.domain::Square", [x]), m.weights([1, 2, 3, 4], [4, 1])]), "float32", ["batch", 1]);
  const body = new ModelWriter({ opset: 17 });
  body.op("Selu", ["input"], { alpha: real(alpha), gamma: real(gamma) }, ["inner"]);
  body.op("Mul", ["inner", "inner"], {}, ["result"]);
  const model = fromBinary(ModelProtoSchema, m.bytes());
  model.functions.push(
    create(FunctionProtoSchema, {
      name: "Square",
      domain: "my.domain",
      input: ["input"],
      output: ["result"],
      node: body.nodes,
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: 17n })],
    }),
  );
  return toBinary(ModelProtoSchema, model);
}

describe("a real attribute whose value is a whole number stays real", () => {
  test.each([
    [1.5, 2],
    [2, 1.2],
    [1, 1],
  ])("Selu with alpha %d and gamma %d", async (alpha, gamma) => {
    const X = [0.3, -0.2, 0.5, -0.9];
    const selu = (x: number) => gamma * (x > 0 ? x : alpha * (Math.exp(x) - 1));
    const slope = (x: number) => gamma * (x > 0 ? 1 : alpha * Math.exp(x));
    const { bytes } = compile(squareOfSelu(alpha, gamma), { method: "gradient-x-input" });
    const { relevance } = await run(bytes, { x: array("float32", X, [1, 4]), ...targets(0) });
    const expected = X.map((x, i) => x * 2 * selu(x) * slope(x) * (i + 1));
    expect(distance(relevance!.values, expected)).toBeLessThan(1e-6);
  });
});
