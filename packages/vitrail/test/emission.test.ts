/** How a patch is written so that it is fast: what it reads of the file, and which products it shares. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { array, run } from "../../../test/support/runtime.js";
import { type VitStyle, vit } from "../../../test/support/vit.js";
import { recogniseActivations } from "../src/canonicalize/activation.js";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { writePatch } from "../src/emit/patch.js";
import { readModel, writeModel } from "../src/onnx/model.js";
import { range } from "../src/ops/builder.js";
import type { CompileOptions } from "../src/options.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { addedTo, distance } from "./support/program.js";

describe.each(["erf", "tanh"] as const)("GELU written with %s", (activation) => {
  test("is read at its ends only, so that a runtime may fuse it", () => {
    const model = vit({ activation, depth: 2 });
    const inside = readModel(model).graph!.node.filter((n) => n.opType === (activation === "erf" ? "Erf" : "Tanh"));
    const names = new Set(inside.flatMap((n) => n.output));
    expect(names.size).toBe(2);
    const { nodes } = addedTo(model, compile(model, { method: "generic-attention" }).bytes);
    expect(nodes.filter((n) => n.input.some((name) => names.has(name)))).toEqual([]);
  });
});

/** What the output of a small graph over x [2, 8] is taken for. */
function recognised(build: (m: ModelWriter, x: string) => string): string {
  const m = new ModelWriter({ opset: 17 });
  const y = build(m, m.input("x", "float32", [2, 8]));
  m.output(y);
  const graph = importModel(readModel(m.bytes()));
  recogniseActivations(graph.builder);
  return graph.outputs.get(y)!.producer!.operator;
}

describe("an activation is found by what it computes", () => {
  const gate = (m: ModelWriter, x: string) =>
    m.op("Add", [m.op("Erf", [m.op("Mul", [x, m.scalar(Math.SQRT1_2)])]), m.scalar(1)]);

  test("the half before, inside or behind the product", () => {
    const half = (m: ModelWriter, v: string) => m.op("Mul", [v, m.scalar(0.5)]);
    expect(recognised((m, x) => m.op("Mul", [half(m, x), gate(m, x)]))).toBe("Gelu");
    expect(recognised((m, x) => m.op("Mul", [x, half(m, gate(m, x))]))).toBe("Gelu");
    expect(recognised((m, x) => half(m, m.op("Mul", [x, gate(m, x)])))).toBe("Gelu");
  });

  test("x σ(x) and x σ(1.702 x)", () => {
    expect(recognised((m, x) => m.op("Mul", [x, m.op("Sigmoid", [x])]))).toBe("Swish");
    const quick = (m: ModelWriter, x: string) => m.op("Sigmoid", [m.op("Mul", [x, m.scalar(1.702)])]);
    expect(recognised((m, x) => m.op("Mul", [x, quick(m, x)]))).toBe("Swish");
  });

  test("anything else stays what it is", () => {
    expect(recognised((m, x) => m.op("Mul", [x, gate(m, x)]))).toBe("Mul");
    expect(recognised((m, x) => m.op("Mul", [x, m.op("Sigmoid", [m.op("Mul", [x, m.scalar(1.5)])])]))).toBe("Mul");
    const other = (m: ModelWriter) => m.op("Sigmoid", [m.input("gate", "float32", [2, 8])]);
    expect(recognised((m, x) => m.op("Mul", [x, other(m)]))).toBe("Mul");
  });
});

test("one value may be given under several names", async () => {
  const m = new ModelWriter({ opset: 17 });
  m.output(m.op("Relu", [m.input("x", "float32", [2])]));
  const model = m.bytes();
  const { builder: b, inputs, names } = importModel(readModel(model));
  b.pass = "output";
  const value = b.neg(inputs.get("x")!);
  const outputs = ["a", "b", "c"].map((name) => ({ name, value }));
  const patch = writePatch({ b, taken: names, inputs: [], outputs, metadata: {}, irVersion: 8n });
  const found = await run(Uint8Array.of(...model, ...patch.bytes), { x: array("float32", [1, -2], [2]) });
  expect(["a", "b", "c"].map((name) => found[name]!.values)).toEqual([
    [-1, 2],
    [-1, 2],
    [-1, 2],
  ]);
});

/** Products of the appended part with weights of the file as they stand, or with what is derived from them. */
function transposedProducts(model: Uint8Array, options: CompileOptions = {}) {
  const { nodes } = addedTo(model, compile(model, options).bytes);
  const made = new Map(nodes.flatMap((n) => n.output.map((name) => [name, n] as const)));
  const isWeight = (name: string): boolean => {
    const node = made.get(name);
    return node ? node.input.every(isWeight) : !name.startsWith("vitrail/");
  };
  const gemms = nodes.filter((n) => n.opType === "Gemm" && isWeight(n.input[1]!));
  const matrices = nodes.filter((n) => n.opType === "Transpose" && n.attribute[0]!.ints.length === 2);
  const transposes = matrices.filter((n) => n.input[0] !== "target");
  return { gemms, transposes };
}

test("the gradient and the relevance of a layer share one product with its transposed weights", () => {
  const { gemms } = transposedProducts(vit({ depth: 3 }), { compact: true });
  const own = gemms.map((n) => n.input[1]!).filter((name) => !name.startsWith("vitrail/"));
  expect(own.length).toBeGreaterThan(8);
  expect(new Set(own).size).toBe(own.length);
});

test("the half of a GELU's derivative stands in front of the joined product, where there are fewer columns", () => {
  const model = vit({ depth: 2, width: 32, heads: 4, mlpRatio: 2, activation: "erf" });
  const program = compile(model, { compact: true });
  const { nodes } = addedTo(model, program.bytes);
  const parts = new Set(nodes.filter((n) => n.opType === "Split").flatMap((n) => n.output));
  const single = new Set(
    readModel(program.bytes)
      .graph!.initializer.filter((t) => t.dims.length === 0)
      .map((t) => t.name),
  );
  const scaled = nodes.filter((n) => n.opType === "Mul" && n.input.some((name) => single.has(name)));
  expect(parts.size).toBeGreaterThan(8);
  expect(scaled.length).toBeGreaterThan(4);
  expect(scaled.filter((n) => n.input.some((name) => parts.has(name)))).toEqual([]);
});

describe("transposed weights are read as they stand", () => {
  test.each([
    ["one target", {}],
    ["several targets", { severalTargets: true }],
    ["generic attention", { method: "generic-attention" }],
  ] as const)("%s", (_, options) => {
    const { gemms, transposes } = transposedProducts(vit({ depth: 2 }), { ...options, compact: true });
    expect(gemms.length).toBeGreaterThan(6);
    expect(transposes).toEqual([]);
  });
});

describe("where memory need not be saved", () => {
  const model = vit({ depth: 3, activation: "erf" });
  const { nodes } = addedTo(model, compile(model).bytes);

  test("every product has its own transposed weights, and no rows are joined for it", () => {
    const { gemms, transposes } = transposedProducts(model);
    expect(gemms).toEqual([]);
    expect(transposes.length).toBeGreaterThan(8);
    expect(nodes.filter((n) => n.opType === "Split" && n.name.includes("/relevance/"))).toEqual([]);
  });

  test("the scale and the centring of a layer norm, and the half of a GELU, are done to the weights", () => {
    const made = new Map(nodes.flatMap((n) => n.output.map((name) => [name, n] as const)));
    const computed = new Set(readModel(model).graph!.node.flatMap((n) => n.output));
    const derived = (name: string): boolean => made.get(name)?.input.every(derived) ?? !computed.has(name);
    const products = nodes.filter((n) => n.opType === "MatMul" && n.name.startsWith("vitrail/gradient/"));
    const weights = products.filter((n) => derived(n.input[1]!)).map((n) => made.get(n.input[1]!)?.opType);
    const count = (type: string) => weights.filter((w) => w === type).length;
    // Two norms a block, but for the first attention, which is not followed, and the last, which gets a sum; three GELUs.
    expect([count("Sub"), count("Mul")]).toEqual([4, 3]);
  });

  test.each(["transformer-attribution", "generic-attention"])("%s is the same map", async (method) => {
    const x = array("float32", random(5).normals(2 * 3 * 16 * 16), [2, 3, 16, 16]);
    const maps = [true, false].map(async (compact) => {
      const found = await run(compile(model, { method, compact }).bytes, {
        pixel_values: x,
        target: array("int64", [1, 2], [2]),
      });
      return [...found.relevance!.values].map(Number);
    });
    const [small, fast] = await Promise.all(maps);
    expect(distance(fast!, small!)).toBeLessThan(1e-4);
  });
});

describe("q, k and v of one product", () => {
  /** Shapes of what the gradient of the products with [24, 24] and [24, 72] weights makes of the norm before them. */
  const made = (style: VitStyle) => {
    const text = compile(vit({ depth: 1, ...style }), { method: "gradient-x-input" }).report.print();
    const products = /^ *%vitrail\/gradient\/MatMul\/(MatMul_\d+)(\.\d)? = MatMul.* : f32\[(batch,\d+,24)\]$/gm;
    const found = [...text.matchAll(products)].map(([, source, , shape]) => ({ source, shape }));
    return found
      .filter(({ source }) => source === found.at(-1)!.source)
      .map(({ shape }) => shape)
      .sort();
  };

  test.each(["packed", "split", "split heads", "slices"] as const)(
    "%s: one row of q, where one token is read",
    (qkv) => {
      expect(made({ qkv })).toEqual(["batch,1,24", "batch,17,24"]);
    },
  );

  test("stay one product where all tokens are read", () => {
    expect(made({ pooling: "mean" })).toEqual(["batch,16,24"]);
  });
});

test("a long name in the file is written once for each node that was made for it", () => {
  const renamed = (length: number) => {
    const model = readModel(vit({ depth: 2 }));
    for (const node of model.graph!.node) node.name = `${node.name}${"x".repeat(length - node.name.length)}`;
    return compile(writeModel(model));
  };
  const [short, long] = [renamed(30), renamed(80)];
  expect(long.report.nodes).toEqual(short.report.nodes);
  // Fifty letters for each node, and two bytes where a length needs one more.
  expect(long.patch.length - short.patch.length).toBeLessThan(52 * short.report.nodes.added);
  expect(short.patch.length).toBeLessThan(120 * short.report.nodes.added);
});

describe("rows that begin a multiple of 4 KiB apart", () => {
  /** x [batch, 3, 4] times W [4, hidden] times V [hidden, 2], summed over the rows. */
  function chain(hidden: number) {
    const m = new ModelWriter({ opset: 17 });
    const filled = (dims: [number, number], of: (i: number) => number) =>
      range(dims[0] * dims[1]).map((i) => Math.fround(of(i)));
    const [W, V] = [filled([4, hidden], (i) => Math.sin(i)), filled([hidden, 2], (i) => Math.cos(3 * i))];
    const wide = m.op("MatMul", [
      m.input("x", "float32", ["batch", 3, 4]),
      m.constant(tensorOf("float32", W, [4, hidden])),
    ]);
    const rows = m.op("MatMul", [wide, m.constant(tensorOf("float32", V, [hidden, 2]))]);
    m.output(m.op("ReduceSum", [rows, m.ints([1])], { keepdims: 0 }));
    const gradient = (c: number) =>
      range(4).map((k) => range(hidden).reduce((sum, h) => sum + W[k * hidden + h]! * V[2 * h + c]!, 0));
    return { model: m.bytes(), gradient };
  }
  const x = array("float32", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 3, 4]);
  const options = { method: "gradient-x-input", severalTargets: true } as const;
  const concats = (model: Uint8Array) =>
    addedTo(model, compile(model, options).bytes).nodes.filter((n) => n.opType === "Concat" && n.input.length === 2);

  test.each([1024, 1040])("%i columns: the product is what plain loops give", async (hidden) => {
    const { model, gradient } = chain(hidden);
    const target = array("int64", [1, 0], [2, 1]);
    const { relevance } = await run(compile(model, options).bytes, { x, target });
    const expected = [1, 0].flatMap((c) => x.values.map((v, i) => Number(v) * gradient(c)[i % 4]!));
    expect(relevance!.values.length).toBe(24);
    for (const [i, v] of relevance!.values.entries()) expect(v).toBeCloseTo(expected[i]!, 2);
  });

  test("get zeros behind them, others do not", () => {
    const wider = (hidden: number) => concats(chain(hidden).model).length;
    expect(wider(1024)).toBe(wider(1040) + 1);
  });
});
