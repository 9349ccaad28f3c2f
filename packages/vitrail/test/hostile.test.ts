/** Files that strangers made: each ends at once in a code that says what and where, or in a file that loads. */
import { clone, create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { inspect } from "../src/inspect.js";
import { originalBytes } from "../src/metadata.js";
import {
  FunctionProtoSchema,
  type ModelProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
} from "../src/onnx/generated/onnx_pb.js";
import { readModel, writeModel } from "../src/onnx/model.js";

const METHOD = { method: "gradient-x-input" } as const;

/** relu(x w) with one token each; the small model that the cases below change. */
function small(change: (m: ModelWriter) => void = () => {}): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("x", "float32", ["batch", 4]);
  change(m);
  const w = m.weights([1, 2, 3, 4, 5, 6, 7, 8], [4, 2], "float32", "w");
  m.output(m.op("Relu", [m.op("MatMul", [x, w])]), "float32", ["batch", 2], "logits");
  return m.bytes();
}

function changed(change: (model: ModelProto) => void): Uint8Array {
  const model = readModel(small());
  change(model);
  return writeModel(model);
}

const call = (name: string, input: string, output: string) =>
  create(NodeProtoSchema, {
    name: `${name} of ${output}`,
    opType: name,
    domain: "own",
    input: [input],
    output: [output],
  });

/** The model, its Relu followed by a function; `bodies` says which functions each one calls, in a row. */
const calling = (bodies: Readonly<Record<string, readonly string[]>>): Uint8Array =>
  changed((m) => {
    m.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: "own", version: 1n }));
    for (const [name, calls] of Object.entries(bodies)) {
      const node = calls.map((c, i) =>
        c === "Relu" ? { ...call(c, `v${i}`, `v${i + 1}`), domain: "" } : call(c, `v${i}`, `v${i + 1}`),
      );
      const opsetImport = m.opsetImport;
      m.functions.push(
        create(FunctionProtoSchema, {
          name,
          domain: "own",
          input: ["v0"],
          output: [`v${calls.length}`],
          node,
          opsetImport,
        }),
      );
    }
    const last = m.graph!.node.at(-1)!;
    m.graph!.node.push(call(Object.keys(bodies)[0]!, last.output[0]!, "called"));
  });

const told = (bytes: Uint8Array): string[] =>
  [() => inspect(bytes, METHOD), () => compile(bytes, METHOD)].map((work) => {
    try {
      work();
      return "compiled";
    } catch (error) {
      return (error as Error).message;
    }
  });

const node = (model: ModelProto, operator: string) => model.graph!.node.find((n) => n.opType === operator)!;

describe("what the file's fault is, is said at its place", () => {
  const relu = /E001 .*\n {2}at {4}node ".*" \(Relu\)\n {2}why {3}/;
  test.each<[string, Uint8Array, RegExp]>([
    [
      "an input that is missing",
      changed((m) => void node(m, "MatMul").input.pop()),
      /\(MatMul\)\n.*its input 1 is missing/,
    ],
    [
      "a value that is computed nowhere",
      changed((m) => {
        node(m, "Relu").input[0] = "nowhere";
      }),
      /computed nowhere/,
    ],
    [
      "a value that is computed twice",
      changed((m) => void m.graph!.node.push({ ...clone(NodeProtoSchema, node(m, "Relu")), name: "again" })),
      relu,
    ],
    [
      "a tensor of fewer bytes than it has",
      changed((m) => {
        m.graph!.initializer[0]!.rawData = new Uint8Array(3);
      }),
      /tensor "w"\n.*4 x 2 elements of float32 are 32 bytes, and it holds 3/,
    ],
    [
      "a negative dimension of a tensor",
      changed((m) => {
        m.graph!.initializer[0]!.dims = [-4n, -2n];
      }),
      /tensor "w"\n.*-4 x -2/,
    ],
    [
      "an axis of 2^62",
      changed((m) => {
        const type = m.graph!.input[0]!.type!.value;
        if (type.case === "tensorType") type.value.shape!.dim[0]!.value = { case: "dimValue", value: 2n ** 62n };
      }),
      /input "x"\n.*more than a tensor can have/,
    ],
    [
      "an axis twice in a permutation",
      small((m) => void m.output(m.op("Transpose", ["x"], { perm: [0, 0] }))),
      /\(Transpose\)\n.*\[0,0\] does not name each of 2 axes once/,
    ],
    [
      "an axis that is not there",
      small((m) => void m.output(m.op("Softmax", ["x"], { axis: 7 }))),
      /\(Softmax\)\n.*no axis 7/,
    ],
    [
      "tensors of two ranks that are joined",
      small((m) => void m.output(m.op("Concat", ["x", m.op("Unsqueeze", ["x", m.ints([0])])], { axis: 0 }))),
      /\(Concat\)\n.*joins tensors of 2, 3 axes/,
    ],
    [
      "an equation of more operands than there are",
      small((m) => void m.output(m.op("Einsum", ["x"], { equation: "ij,jk->ik" }))),
      /\(Einsum\)\n.*takes 2 operands, and it has 1/,
    ],
    [
      "a vector where Gemm multiplies matrices",
      small((m) => {
        const [bias, w] = [m.weights([1, 2, 3, 4], [4], "float32", "c"), m.weights(Array(16).fill(1), [4, 4])];
        m.output(m.op("Gemm", [bias, w, w]));
      }),
      /\(Gemm\)\n.*multiplies matrices, and its input 0 is of shape \[4\]/,
    ],
    [
      "a bias of Gemm that is larger than the product",
      small((m) => {
        const row = m.weights([1, 2, 3, 4], [1, 4]);
        m.output(m.op("Gemm", [row, m.weights(Array(8).fill(1), [4, 2]), m.weights(Array(6).fill(1), [3, 2])]));
      }),
      /\(Gemm\)\n.*bias of \[3, 2\] does not broadcast to the product's \[1, 2\]/,
    ],
    [
      "a bias of Conv that is larger than the product",
      small((m) => {
        const [picture, kernel] = [m.weights([1, 2, 3], [1, 1, 3]), m.weights([1], [1, 1, 1])];
        m.output(m.op("Conv", [picture, kernel, m.weights([1, 2], [2])]));
      }),
      /\(Conv\)\n.*bias of .* does not broadcast to the product's \[1, 1, 3\]/,
    ],
    ["a function that calls itself", calling({ f: ["f"] }), /\(f\)\n.*calls itself/],
    ["functions that call each other", calling({ f: ["g"], g: ["f"] }), /calls itself/],
    ["two inputs of a name", changed((m) => void m.graph!.input.push(m.graph!.input[0]!)), /two inputs have this name/],
  ])("%s", (_, bytes, words) => {
    for (const text of told(bytes)) {
      expect(text).toMatch(/^E001/);
      expect(text).toMatch(words);
    }
  });
});

/** Operators whose operands are of one element type, each with operands that fit but for that. */
describe("operands of two element types", () => {
  const two = (operator: string, others: readonly ("float16" | "bfloat16" | "int64" | "float32")[]) =>
    small((m) => {
      const x = m.op("Cast", ["x"], { to: 10 });
      const square = others.map((type) => m.op("Cast", [m.weights(Array(16).fill(1), [4, 4])], { to: NUMBER[type] }));
      m.output(m.op(operator, operator === "Where" ? [m.op("Cast", ["x"], { to: 9 }), x, ...square] : [x, ...square]));
    });
  const NUMBER = { float32: 1, int64: 7, float16: 10, bfloat16: 16 };
  test.each(["Add", "Sub", "Mul", "Div", "Max", "Less", "MatMul", "Gemm", "Where"])("%s", (operator) => {
    for (const type of ["bfloat16", "float32", "int64"] as const)
      for (const text of told(two(operator, [type]))) {
        expect(text).toMatch(/^E001/);
        expect(text).toMatch(new RegExp(`\\(${operator}\\)\n.*operands are float16 and ${type}, .* one element type`));
      }
    expect(told(two(operator, ["float16"]))).toEqual(["compiled", "compiled"]);
  });
  test("an operand behind the first two", () => {
    for (const text of told(two("Gemm", ["float16", "float32"]))) expect(text).toMatch(/^E001 .*\n.*\(Gemm\)/);
  });
  test("an exponent may be of a type of its own", () => {
    expect(told(two("Pow", ["int64"]))).toEqual(["compiled", "compiled"]);
  });
});

describe("what only grows is refused at once", () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 31 }, (_, i) => [`f${i}`, i < 30 ? [`f${i + 1}`, `f${i + 1}`] : ["Relu"]]),
  );
  const chain = Object.fromEntries(
    Array.from({ length: 150 }, (_, i) => [`f${i}`, i < 149 ? [`f${i + 1}`] : ["Relu"]]),
  );
  /** (a + b + ...)^2^n, as a size. */
  const sizes = small((m) => {
    const names = Array.from({ length: 6 }, (_, i) => m.input(`y${i}`, "float32", [`n${i}`]));
    let size = names.map((n) => m.op("Shape", [n])).reduce((a, c) => m.op("Add", [a, c]));
    for (let i = 0; i < 8; i++) size = m.op("Mul", [size, size]);
    m.output(m.op("ConstantOfShape", [size]));
  });
  test.each<[string, Uint8Array]>([
    ["functions that double, thirty deep", calling(doubling)],
    ["functions in functions, 150 deep", calling(chain)],
    ["sizes that are multiplied by themselves", sizes],
  ])("%s", (_, bytes) => {
    const start = performance.now();
    for (const text of told(bytes)) expect(text).toMatch(/^E047 /);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("functions that end are unfolded", () => {
    expect(told(calling({ f: ["g", "g"], g: ["Relu"] }))).toEqual(["compiled", "compiled"]);
  });
});

describe("metadata of the key that compilations use", () => {
  const saying = (value: string): Uint8Array =>
    changed((m) => void m.metadataProps.push(create(StringStringEntryProtoSchema, { key: "vitrail", value })));
  test.each([
    "",
    "{",
    "null",
    "1",
    "[]",
    "{}",
    '{"source":{}}',
    '{"source":{"bytes":-1}}',
    '{"source":{"bytes":1e9}}',
    '{"source":{"bytes":5}}',
  ])("%s", (value) => {
    for (const text of told(saying(value))) expect(text).toMatch(/^E048 .*\n {2}at {4}metadata "vitrail"/);
  });

  test("a compiled model is still cut back", () => {
    const bytes = small();
    expect(originalBytes(compile(bytes, METHOD).bytes)).toEqual(bytes);
  });
});

describe("names that are taken", () => {
  test.each(["relevance", "target"])("a node called %s", async (name) => {
    const bytes = changed((m) => {
      node(m, "Relu").name = name;
    });
    await (await open(bytes)).release();
    await (await open(compile(bytes, METHOD).bytes)).release();
  });
});

test("a negative extent is one that is not known", async () => {
  const bytes = changed((m) => {
    const type = m.graph!.input[0]!.type!.value;
    if (type.case === "tensorType") type.value.shape!.dim[0]!.value = { case: "dimValue", value: -1n };
  });
  const { inputs } = inspect(bytes, METHOD);
  expect(inputs[0]!.dims[0]).not.toBe(-1);
  await (await open(compile(bytes, METHOD).bytes)).release();
});
