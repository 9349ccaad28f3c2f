/** What the builder shares, simplifies and finds out at run time. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { array, open } from "../../../test/support/runtime.js";
import { importModel } from "../src/canonicalize/import.js";
import { writePatch } from "../src/emit/patch.js";
import { VitrailError } from "../src/errors.js";
import type { Value } from "../src/ir/graph.js";
import { ancestors } from "../src/ir/traverse.js";
import { readModel } from "../src/onnx/model.js";
import { erf } from "../src/ops/activation.js";
import { Builder } from "../src/ops/builder.js";
import { operators } from "../src/ops/registry.js";
import { symbol } from "../src/tensor/dim.js";
import { elementCount, tensorOf } from "../src/tensor/tensor.js";

const fresh = (opset = 17): Builder => new Builder(opset, operators);

describe("sharing", () => {
  const b = fresh();
  const x = b.value("float32", [2, 3]);
  const y = b.value("float32", [2, 3]);
  test("equal nodes are one", () => {
    expect(b.add(x, y)).toBe(b.add(x, y));
    expect(b.add(x, y)).not.toBe(b.add(y, x));
    expect(b.emit("Softmax", [x], { axis: 1 })).toBe(b.emit("Softmax", [x], { axis: 1 }));
    expect(b.emit("Softmax", [x], { axis: 1 })).not.toBe(b.emit("Softmax", [x], { axis: 0 }));
  });
  test("equal constants are one", () => {
    expect(b.scalar(0.5)).toBe(b.scalar(0.5));
    expect(b.scalar(0.5)).not.toBe(b.constant(tensorOf("float32", [0.5])));
    expect(b.ints([1, 2])).toBe(b.ints([1, 2]));
    expect(b.ints([1, 2])).not.toBe(b.constant(tensorOf("int64", [1, 2], [2, 1])));
  });
});

describe("simplifying", () => {
  const b = fresh();
  const x = b.value("float32", [2, 3, 4]);
  test("a transpose of a transpose, and one that turns nothing", () => {
    expect(b.transpose(b.transpose(x, [1, 2, 0]), [2, 0, 1])).toBe(x);
    expect(b.transpose(x, [0, 1, 2])).toBe(x);
    expect(b.transpose(b.transpose(x, [1, 0, 2]), [0, 2, 1]).producer!.inputs[0]).toBe(x);
  });
  test("a reshape of a reshape, and one that changes nothing", () => {
    expect(b.reshape(x, [2, 3, 4])).toBe(x);
    expect(b.reshape(b.reshape(x, [6, 4]), [2, 3, 4])).toBe(x);
    expect(b.reshape(b.reshape(x, [6, 4]), [24]).producer!.inputs[0]).toBe(x);
  });
  test("times one, sums over nothing, padding by nothing", () => {
    expect(b.mul(x, 1)).toBe(x);
    expect(b.reduceSum(x, [])).toBe(x);
    expect(b.pad(x, 1, 0, 0)).toBe(x);
    expect(b.unbroadcast(x, b.value("float32", [2, 3, 4]))).toBe(x);
  });
  test("no rank, no explanation", () => {
    expect(() => b.rank(b.value("float32", undefined))).toThrow(VitrailError);
  });
});

/** Emits over two fed inputs and runs; symbols are the names of the axes. */
async function emitted(
  dims: Record<string, readonly (string | number)[]>,
  real: Record<string, readonly number[]>,
  build: (b: Builder, inputs: Record<string, Value>) => Value,
): Promise<{ dims: readonly number[]; values: readonly number[] }> {
  const m = new ModelWriter({ opset: 17 });
  for (const [name, d] of Object.entries(dims)) m.output(m.op("Identity", [m.input(name, "float32", d)]));
  const model = m.bytes();
  const graph = importModel(readModel(model));
  const value = build(graph.builder, Object.fromEntries(graph.inputs));
  const outputs = [{ name: "result", value }];
  const patch = writePatch({ b: graph.builder, taken: graph.names, inputs: [], outputs, metadata: {}, irVersion: 8n });
  const session = await open(Uint8Array.of(...model, ...patch.bytes));
  const feeds = Object.entries(real).map(([name, d]) => [
    name,
    array(
      "float32",
      Array.from({ length: elementCount(d) }, (_, i) => i + 1),
      d,
    ),
  ]);
  const { result } = await session.run(Object.fromEntries(feeds), ["result"]);
  await session.release();
  return result!;
}

describe("where only the run time knows", () => {
  const back = (b: Builder, v: Record<string, Value>) => b.unbroadcast(v.dy!, v.x!);

  test("which of two symbolic axes was broadcast", async () => {
    const dims = { dy: ["n", "m"], x: ["p", "m"] };
    expect(await emitted(dims, { dy: [3, 2], x: [1, 2] }, back)).toMatchObject({ dims: [1, 2], values: [9, 12] });
    expect(await emitted(dims, { dy: [3, 2], x: [3, 2] }, back)).toMatchObject({
      dims: [3, 2],
      values: [1, 2, 3, 4, 5, 6],
    });
  });

  test("leading axes that were added", async () => {
    const dims = { dy: ["b", "n", "m"], x: ["m"] };
    expect(await emitted(dims, { dy: [2, 2, 2], x: [2] }, back)).toMatchObject({ dims: [2], values: [16, 20] });
  });

  test("how long an axis is: sums, products and quotients of symbols", async () => {
    const [n, m] = [symbol("n"), symbol("m")];
    const dims = { x: ["n", "m"] };
    const joined = await emitted(dims, { x: [3, 4] }, (b, v) =>
      b.expand(b.reduceSum(v.x!, [0, 1], false), [n, b.shape(b.reshape(v.x!, [12]))[0]!, m]),
    );
    expect(joined.dims).toEqual([3, 12, 4]);
    const zeros = await emitted(dims, { x: [3, 4] }, (b, v) => b.pad(v.x!, 1, 1, n));
    expect(zeros.dims).toEqual([3, 8]);
  });

  test("a symbol that no value shows is an error", () => {
    expect(() => fresh().extents.of(symbol("nowhere"))).toThrow(/E024[\s\S]*nowhere/);
  });
});

test("the stable order of what a value needs", () => {
  const b = fresh();
  const x = b.value("float32", [2]);
  const y = b.add(b.exp(b.neg(x)), b.exp(x));
  expect(ancestors([y]).map((n) => n.operator)).toEqual(["Mul", "Exp", "Exp", "Add"]);
  expect(ancestors([x])).toEqual([]);
});

test("erf to fifteen digits", () => {
  const known = [
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.5, 0.9995930479825551],
    [3, 0.9999779095030014],
    [5, 0.9999999999984626],
    [7, 1],
  ] as const;
  for (const [x, value] of known) {
    expect(Math.abs(erf(x) - value), `erf ${x}`).toBeLessThan(2e-15);
    expect(erf(-x) + 0).toBe(-erf(x) + 0);
  }
});
