/** Quantised chains: integers run as they are, and gradients see through the rounding. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { array, run } from "../../../test/support/runtime.js";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { readModel } from "../src/onnx/model.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { gradientProgram } from "./conformance/gradient.js";

const { normals } = random(7);
const values = normals(12);
/** Within ±64: beyond, sums of products saturate on some processors. */
const integers = Array.from({ length: 20 }, (_, i) => ((i * 53) % 128) - 64);
const seed = normals(15);

type Chain = (m: ModelWriter, x: string) => string;

const scalar = (m: ModelWriter, type: "float32" | "uint8" | "int8", value: number) => m.constant(tensorOf(type, value));
const quantize: Chain = (m, x) => m.op("QuantizeLinear", [x, scalar(m, "float32", 0.05), scalar(m, "uint8", 100)]);
const dequantize: Chain = (m, q) => m.op("DequantizeLinear", [q, scalar(m, "float32", 0.05), scalar(m, "uint8", 100)]);
const weights = (m: ModelWriter) => m.constant(tensorOf("int8", integers, [4, 5]));

/** dx for the cotangent `seed` of a chain over x [3, 4]. */
async function gradientOf(chain: Chain, dims: readonly number[]): Promise<readonly number[]> {
  const m = new ModelWriter({ opset: 17 });
  const y = m.output(chain(m, m.input("x", "float32", [3, 4])), "float32", dims, "y");
  const feeds = { x: array("float32", values, [3, 4]), [`seed_${y}`]: array("float32", seedOf(dims), dims) };
  return (await run(gradientProgram(m.bytes(), y, ["x"]), feeds)).d_x!.values;
}
const seedOf = (dims: readonly number[]) =>
  seed.slice(
    0,
    dims.reduce((n, d) => n * d, 1),
  );

/** seed (q - zero)ᵀ scale */
function throughWeights(zero: number, scale: number): number[] {
  const at = (row: number, column: number) =>
    [0, 1, 2, 3, 4].reduce((sum, k) => sum + seed[row * 5 + k]! * (integers[column * 5 + k]! - zero), 0);
  return [0, 1, 2].flatMap((row) => [0, 1, 2, 3].map((column) => at(row, column) * scale));
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, v] of actual.entries()) expect(Math.abs(v - expected[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(v)));
}

const dynamic = (m: ModelWriter, x: string) => m.ops("DynamicQuantizeLinear", [x], {}, 3) as [string, string, string];

describe("straight through", () => {
  test("a rounded value is the value", async () => {
    expectClose(await gradientOf((m, x) => dequantize(m, quantize(m, x)), [3, 4]), seed.slice(0, 12));
  });

  test("integers that are moved", async () => {
    const turned: Chain = (m, x) => dequantize(m, m.op("Transpose", [quantize(m, x)], { perm: [1, 0] }));
    const expected = [0, 1, 2].flatMap((row) => [0, 1, 2, 3].map((column) => seed[column * 3 + row]!));
    expectClose(await gradientOf(turned, [4, 3]), expected);
  });

  test("a product of integers, quantised at run time", async () => {
    const chain: Chain = (m, x) => {
      const [q, scale, zero] = dynamic(m, x);
      const product = m.op("MatMulInteger", [q, weights(m), zero, scalar(m, "int8", 3)]);
      const factor = m.op("Mul", [scale, scalar(m, "float32", 0.02)]);
      return m.op("Mul", [m.op("Cast", [product], { to: 1 }), factor]);
    };
    expectClose(await gradientOf(chain, [3, 5]), throughWeights(3, 0.02));
  });

  test("a product of two rounded values", async () => {
    const both = (rounded: boolean): Chain => {
      return (m, x) => {
        const other = m.op("Transpose", [x], { perm: [1, 0] });
        if (!rounded) return m.op("MatMul", [x, other]);
        const [[a, sa, za], [c, sc, zc]] = [dynamic(m, x), dynamic(m, other)];
        const product = m.op("Cast", [m.op("MatMulInteger", [a, c, za, zc])], { to: 1 });
        return m.op("Mul", [product, m.op("Mul", [sa, sc])]);
      };
    };
    const [actual, exact] = [await gradientOf(both(true), [3, 3]), await gradientOf(both(false), [3, 3])];
    for (const [i, v] of actual.entries()) expect(Math.abs(v - exact[i]!)).toBeLessThan(0.05);
  });

  test.each(["com.microsoft::MatMulIntegerToFloat", "com.microsoft::DynamicQuantizeMatMul"])("%s", async (operator) => {
    const chain: Chain = (m, x) => {
      const [scale, zero] = [scalar(m, "float32", 0.02), scalar(m, "int8", 3)];
      if (operator.includes("Dynamic")) return m.op(operator, [x, weights(m), scale, zero]);
      const [q, xScale, xZero] = dynamic(m, x);
      const bias = m.constant(tensorOf("float32", [1, 2, 3, 4, 5]));
      return m.op(operator, [q, weights(m), xScale, scale, xZero, zero, bias]);
    };
    expectClose(await gradientOf(chain, [3, 5]), throughWeights(3, 0.02));
  });

  test("a product whose result is rounded again", async () => {
    const chain: Chain = (m, x) => {
      const [scale, zero] = [scalar(m, "float32", 0.05), scalar(m, "uint8", 100)];
      const own = [scalar(m, "float32", 0.02), scalar(m, "int8", 3)];
      const [far, middle] = [scalar(m, "float32", 0.4), scalar(m, "uint8", 128)];
      const q = m.op("QLinearMatMul", [quantize(m, x), scale, zero, weights(m), ...own, far, middle]);
      return m.op("DequantizeLinear", [q, far, middle]);
    };
    expectClose(await gradientOf(chain, [3, 5]), throughWeights(3, 0.02));
  });
});

test("a lookup in a table of integers is an embedding", () => {
  const m = new ModelWriter({ opset: 17 });
  const ids = m.input("ids", "int64", ["batch", "tokens"]);
  const rows = m.op("Gather", [m.constant(tensorOf("uint8", [1, 2, 3, 4, 5, 6], [3, 2])), ids]);
  m.output(dequantize(m, rows), "float32", undefined, "y");
  const y = importModel(readModel(m.bytes())).outputs.get("y")!;
  expect(y.data).toBe(true);
  expect(y.lookup?.table.shape).toEqual([3, 2]);
});

test("weights that are dequantised stay constants", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("x", "float32", [3, 4]);
  const w = m.op("DequantizeLinear", [weights(m), scalar(m, "float32", 0.1)], {}, ["w"]);
  m.output(m.op("MatMul", [x, w]), "float32", [3, 5], "y");
  const product = importModel(readModel(m.bytes())).outputs.get("y")!.producer!;
  expect(product.inputs[1]).toMatchObject({ name: "w", data: false });
});

/** The class token is read, so that the last block is narrowed to its row; the integers are inside one fused operator. */
test("products of integers in one operator, in a block that is narrowed to one token", async () => {
  const spelled = (project: Chain): Uint8Array => {
    const draw = random(11);
    const m = new ModelWriter({ opset: 17 });
    const matrix = (to: number) => m.weights(draw.normals(4 * to), [4, to]);
    const x = m.input("x", "float32", [2, 3, 4]);
    const [q, k, v] = [4, 4, 4].map((to) => m.op("MatMul", [x, matrix(to)]));
    const scores = m.op("MatMul", [q!, m.op("Transpose", [k!], { perm: [0, 2, 1] })]);
    const attended = m.op("MatMul", [m.op("Softmax", [scores], { axis: -1 }), v!]);
    const first = m.op("Gather", [project(m, attended), m.constant(tensorOf("int64", 0))], { axis: 1 });
    m.output(m.op("MatMul", [first, m.weights(draw.normals(15), [5, 3])]), "float32", [2, 3], "y");
    return m.bytes();
  };
  const scale = (m: ModelWriter) => scalar(m, "float32", 0.02);
  const fused: Chain = (m, x) =>
    m.op("com.microsoft::DynamicQuantizeMatMul", [x, weights(m), scale(m), scalar(m, "int8", 0)]);
  const apart: Chain = (m, x) => {
    const [q, s, zero] = dynamic(m, x);
    const product = m.op("MatMulInteger", [q, weights(m), zero, scalar(m, "int8", 0)]);
    return m.op("Mul", [m.op("Cast", [product], { to: 1 }), m.op("Mul", [s, scale(m)])]);
  };
  const feeds = { x: array("float32", random(12).normals(24), [2, 3, 4]), target: array("int64", [1, 2], [2]) };
  const maps = await Promise.all([fused, apart].map(async (chain) => run(compile(spelled(chain)).bytes, feeds)));
  expectClose(maps[0]!.relevance!.values, maps[1]!.relevance!.values);
});
