/** Reading a file into a graph: constants, branches, functions, half precision, weights that lie elsewhere. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ModelWriter, real } from "../../../test/support/model.js";
import { array, run } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { VitrailError } from "../src/errors.js";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "../src/onnx/generated/onnx_pb.js";
import { readModel } from "../src/onnx/model.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { distance, targets } from "./support/program.js";

const X = [0.3, -0.2, 0.5, 0.9];
const W = [1, 2, 3, 4, 5, 6, 7, 8];

/** x ⊙ dy/dx of class 1 for a model with input x [batch, 4] and output y [batch, 2]. */
async function gradientTimesInput(model: Uint8Array): Promise<readonly number[]> {
  const { bytes } = compile(model, { method: "gradient-x-input" });
  return (await run(bytes, { x: array("float32", X, [1, 4]), ...targets(1) })).relevance!.values;
}
const expected = (slope: (x: number) => number): number[] => X.map((x, i) => x * slope(x) * W[2 * i + 1]!);
const ended = (m: ModelWriter, hidden: string): Uint8Array => {
  m.output(m.op("MatMul", [hidden, m.weights(W, [4, 2])]), "float32", ["batch", 2], "y");
  return m.bytes();
};
const begun = (opset = 17, domains = {}): [ModelWriter, string] => {
  const m = new ModelWriter({ opset, domains });
  return [m, m.input("x", "float32", ["batch", 4])];
};

describe("constants as nodes", () => {
  test.each([
    ["value", tensorOf("float32", 3)],
    ["value_float", real(3)],
    ["value_floats", real([3, 3, 3, 3])],
  ] as const)("%s", async (kind, value) => {
    const [m, x] = begun();
    const model = ended(m, m.op("Mul", [x, m.op("Constant", [], { [kind]: value })]));
    expect(
      distance(
        await gradientTimesInput(model),
        expected(() => 3),
      ),
    ).toBeLessThan(1e-6);
  });

  test("value_ints as a shape", async () => {
    const [m, x] = begun();
    const shape = m.op("Constant", [], { value_ints: [0, 2, -1] });
    const model = ended(m, m.op("Reshape", [m.op("Reshape", [x, shape]), m.ints([0, 4])]));
    expect(
      distance(
        await gradientTimesInput(model),
        expected(() => 1),
      ),
    ).toBeLessThan(1e-6);
  });
});

test("an open batch that a reshape fixes is fixed everywhere", () => {
  const [m, x] = begun();
  const apart = m.op("Tanh", [m.op("Reshape", [x, m.ints([1, 2, 2])])]);
  const fixed = importModel(readModel(ended(m, m.op("Reshape", [apart, m.ints([1, 4])]))));
  expect(fixed.inputs.get("x")!.shape).toEqual([1, 4]);
  const [n, z] = begun();
  const open = importModel(readModel(ended(n, n.op("Reshape", [z, n.ints([-1, 4])]))));
  expect(open.inputs.get("x")!.shape!.map(String)).toEqual(["batch", "4"]);
});

describe("branches", () => {
  /** then: 2 x, else: tanh x; both see x from outside. */
  const branched = (condition: (m: ModelWriter, x: string) => string) => {
    const [m, x] = begun();
    const [then, otherwise] = [new ModelWriter({ opset: 17 }), new ModelWriter({ opset: 17 })];
    then.output(then.op("Mul", [x, then.constant(tensorOf("float32", 2), "two")], {}, ["doubled"]), "float32", [
      "batch",
      4,
    ]);
    otherwise.output(otherwise.op("Tanh", [x], {}, ["squashed"]), "float32", ["batch", 4]);
    const attributes = { then_branch: then.graph("then"), else_branch: otherwise.graph("else") };
    return ended(m, m.op("If", [condition(m, x)], attributes));
  };
  const isRank = (rank: number) => (m: ModelWriter, x: string) =>
    m.op("Equal", [m.op("Size", [m.op("Shape", [x])]), m.constant(tensorOf("int64", rank))]);

  test("decided by shapes are read in place", async () => {
    expect(
      distance(
        await gradientTimesInput(branched(isRank(2))),
        expected(() => 2),
      ),
    ).toBeLessThan(1e-6);
    const slope = (x: number) => 1 - Math.tanh(x) ** 2;
    expect(distance(await gradientTimesInput(branched(isRank(3))), expected(slope))).toBeLessThan(1e-6);
  });

  test("decided by data are refused", () => {
    const byData = branched((m, x) => m.op("Greater", [m.op("ReduceMax", [x], { keepdims: 0 }), m.scalar(0)]));
    expect(() => compile(byData, { method: "gradient-x-input" })).toThrow(VitrailError);
  });
});

describe("functions of the model", () => {
  /** scaled(x) = alpha tanh(x), called with alpha = 3 and, once more, with the default of 2. */
  const withFunction = (calls: readonly object[]): Uint8Array => {
    const [m, x] = begun(17, { "my.domain": 1 });
    const hidden = calls.reduce<string>((v, attributes) => m.op("my.domain::Scaled", [v], { ...attributes }), x);
    const model = fromBinary(ModelProtoSchema, ended(m, hidden));
    const body = new ModelWriter({ opset: 17 });
    body.op("Constant", [], {}, ["alpha"]);
    body.nodes[0]!.attribute.push(
      create(AttributeProtoSchema, {
        name: "value_float",
        refAttrName: "alpha",
        type: AttributeProto_AttributeType.FLOAT,
      }),
    );
    body.op("Tanh", ["input"], {}, ["inner"]);
    body.op("Mul", ["inner", "alpha"], {}, ["result"]);
    model.functions.push(
      create(FunctionProtoSchema, {
        name: "Scaled",
        domain: "my.domain",
        input: ["input"],
        output: ["result"],
        node: body.nodes,
        opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: 17n })],
        attributeProto: [
          create(AttributeProtoSchema, { name: "alpha", type: AttributeProto_AttributeType.FLOAT, f: 2 }),
        ],
      }),
    );
    return toBinary(ModelProtoSchema, model);
  };

  test("are read with the attributes of the call, or their defaults", async () => {
    const slope = (x: number) => 3 * (1 - Math.tanh(x) ** 2);
    expect(distance(await gradientTimesInput(withFunction([{ alpha: real(3) }])), expected(slope))).toBeLessThan(1e-6);
    const twice = (x: number) => slope(x) * 2 * (1 - Math.tanh(3 * Math.tanh(x)) ** 2);
    const model = withFunction([{ alpha: real(3) }, {}]);
    expect(distance(await gradientTimesInput(model), expected(twice))).toBeLessThan(1e-6);
  });
});

test("half precision: what is added computes in float32", async () => {
  const [m, x] = begun();
  const halves: Record<number, number> = {
    1: 0x3c00,
    2: 0x4000,
    3: 0x4200,
    4: 0x4400,
    5: 0x4500,
    6: 0x4600,
    7: 0x4700,
    8: 0x4800,
  };
  const bytes = new Uint8Array(Uint16Array.from(W, (w) => halves[w]!).buffer);
  const w = m.constant({ type: "float16", dims: [4, 2], bytes });
  const product = m.op("MatMul", [m.op("Cast", [x], { to: 10 }), w]);
  m.output(m.op("Cast", [product], { to: 1 }), "float32", ["batch", 2], "y");
  expect(
    distance(
      await gradientTimesInput(m.bytes()),
      expected(() => 1),
    ),
  ).toBeLessThan(1e-6);
});

test("weights in another file: the same program, for their values are not needed", () => {
  const model = fromBinary(ModelProtoSchema, vit({ depth: 1 }));
  for (const tensor of model.graph!.initializer) {
    if (tensor.rawData.length < 64) continue;
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.externalData = [create(StringStringEntryProtoSchema, { key: "location", value: "model.onnx_data" })];
    tensor.rawData = new Uint8Array();
  }
  const outside = toBinary(ModelProtoSchema, model);
  expect(outside.length).toBeLessThan(vit({ depth: 1 }).length / 2);
  expect(compile(outside).report.print()).toBe(compile(vit({ depth: 1 })).report.print());
});

test("initializers that are listed as inputs too are no inputs", async () => {
  const [m, x] = begun();
  const w = m.weights(W, [4, 2], "float32", "w");
  m.input("w", "float32", [4, 2]);
  m.output(m.op("MatMul", [m.op("Tanh", [x]), w]), "float32", ["batch", 2], "y");
  const program = compile(m.bytes(), { method: "gradient-x-input" });
  expect(program.report.inputs.map((i) => i.name)).toEqual(["x"]);
  expect(
    distance(
      await gradientTimesInput(m.bytes()),
      expected((v) => 1 - Math.tanh(v) ** 2),
    ),
  ).toBeLessThan(1e-6);
});

test("axes without a name, and axes that share one", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("x", "float32", [undefined, "n"]);
  const y = m.input("y", "float32", ["n", 3]);
  m.output(m.op("MatMul", [x, y]), "float32", undefined, "z");
  const { report } = compile(m.bytes(), { method: "gradient-x-input" });
  expect(report.inputs.map((i) => i.dims)).toEqual([
    ["x.0", "n"],
    ["n", 3],
  ]);
  expect(report.outputs[0]!.dims).toEqual(["x.0", 3]);
});

test("a tensor proto without elements is an empty tensor, not an error", () => {
  const model = fromBinary(ModelProtoSchema, vit({ depth: 1 }));
  model.graph!.initializer.push(create(TensorProtoSchema, { name: "empty", dataType: 1, dims: [0n] }));
  expect(compile(toBinary(ModelProtoSchema, model)).patch.length).toBeGreaterThan(0);
});

describe("sizes", () => {
  const shapeOf = (m: ModelWriter, name: string): string =>
    String(importModel(readModel(m.bytes())).outputs.get(name)!.shape);
  /** Height and width of a picture [batch, 3, height, width], in the given type. */
  const picture = () => {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("x", "float32", ["batch", 3, "height", "width"]);
    const extent = (axis: number) => m.op("Gather", [m.op("Shape", [x]), m.ints([axis])]);
    return { m, x, height: extent(2), width: extent(3) };
  };

  test("rounded up in floating point are the integers that they stand for", () => {
    const { m, x, height } = picture();
    const halves = m.op("Div", [m.op("Cast", [height], { to: 1 }), m.weights([2], [])]);
    const even = m.op("Cast", [m.op("Mul", [m.op("Ceil", [halves]), m.weights([2], [])])], { to: 7 });
    const pads = m.op("Concat", [m.ints([0, 0, 0, 0, 0, 0]), m.op("Sub", [even, height]), m.ints([0])], { axis: 0 });
    m.output(m.op("Pad", [x, pads]), "float32", ["batch", 3, "even", "width"], "y");
    expect(shapeOf(m, "y")).toBe("batch,3,2*⌊(height+1)/2⌋,width");
  });

  test("padded to whole windows: modulo of modulo", () => {
    const { m, x, width } = picture();
    const four = m.ints([4]);
    const missing = m.op("Mod", [m.op("Sub", [four, m.op("Mod", [width, four])]), four]);
    const pads = m.op("Concat", [m.ints([0, 0, 0, 0, 0, 0, 0]), missing], { axis: 0 });
    m.output(m.op("Pad", [x, pads]), "float32", ["batch", 3, "height", "padded"], "y");
    expect(shapeOf(m, "y")).toBe("batch,3,height,4*⌊(width+3)/4⌋");
  });

  test("that have to fit a weight are known from the start", () => {
    const { m, x, height, width } = picture();
    const window = m.op("Min", [height, width]);
    const windows = m.op("Reshape", [x, m.op("Concat", [m.ints([-1]), m.op("Mul", [window, window])], { axis: 0 })]);
    m.output(windows, "float32", ["rows", "area"], "windows");
    const product = m.op("MatMul", [windows, m.weights(new Array(16 * 2).fill(1), [16, 2])]);
    m.output(product, "float32", ["rows", 2], "y");
    expect(shapeOf(m, "windows")).toBe("⌊(3*batch*height*width)/16⌋,16");
  });
});
