/** Operators with an axis of targets, wherever it stands: each result is that of single runs. */
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { array, type NumberArray, run } from "../../../test/support/runtime.js";
import { importModel } from "../src/canonicalize/import.js";
import { writePatch } from "../src/emit/patch.js";
import type { Value } from "../src/ir/graph.js";
import { lift } from "../src/lift/lift.js";
import { readModel } from "../src/onnx/model.js";
import { type Builder, range } from "../src/ops/builder.js";
import { severalOf } from "../src/seed.js";

/** What is computed from t [2, 3], one for each target, and x [4, 2, 3], one for all. */
type Expression = (b: Builder, t: Value, x: Value) => Value;

const first = (b: Builder, x: Value): Value => b.squeeze(b.slice(x, 0, 0, 1), [0]);

const expressions: Record<string, Expression> = {
  "a sum of less": (b, t, x) => b.add(t, x),
  "a sum of more": (b, t, x) => b.add(b.mul(t, x), first(b, x)),
  "a total times everything": (b, t, x) => b.mul(b.reduceSum(t, [0, 1], false), x),
  "a total times what is lifted": (b, t, x) => b.mul(b.reduceSum(t, [0, 1], false), b.mul(x, t)),
  "sums of rows times columns": (b, t, x) => b.mul(b.reduceSum(t, [1], false), b.transposeLast(b.mul(t, x))),
  "sums on both sides of the targets": (b, t, x) => b.reduceSum(b.mul(t, x), [0, 2]),
  "sums on both sides, without their axes": (b, t, x) => b.reduceSum(b.mul(t, x), [0, 2], false),
  "a mean of all": (b, t, x) => b.reduceMean(b.mul(t, x), [0, 1, 2], false),
  "rows times a matrix": (b, t, x) => b.matmul(t, b.transposeLast(first(b, x))),
  "rows times matrices": (b, t, x) => b.matmul(t, b.transposeLast(x)),
  "a matrix times columns": (b, t, x) => b.matmul(b.transposeLast(first(b, x)), t),
  "matrices times columns": (b, t, x) => b.matmul(b.transposeLast(x), t),
  "products of what is lifted": (b, t) => b.matmul(t, b.transposeLast(t)),
  "products of stacks and a matrix": (b, t, x) => b.matmul(b.mul(t, x), b.transposeLast(t)),
  "rows joined": (b, t, x) => b.reshape(b.mul(t, x), [8, 3]),
  "columns joined": (b, t, x) => b.reshape(b.mul(t, x), [4, 6]),
  "rows cut otherwise": (b, t, x) => b.matmul(b.reshape(b.mul(t, x), [2, 4, 3]), b.transposeLast(t)),
  "all in one row": (b, t) => b.reshape(t, [6]),
  "one row apart": (b, t) => b.reshape(b.reshape(t, [6]), [1, 3, 2]),
  "axes turned": (b, t, x) => b.transpose(b.mul(t, x), [2, 0, 1]),
  "new axes everywhere": (b, t) => b.unsqueeze(t, [0, 2, 4]),
  "a new axis behind sums": (b, t) => b.unsqueeze(b.reduceSum(t, [1], false), [1]),
  "beside what is for all": (b, t, x) => b.concat([b.mul(t, x), x], 1),
  spread: (b, t) => b.expand(t, [5, 2, 3]),
  "a part": (b, t, x) => b.slice(b.mul(t, x), 2, 1, 3),
  padded: (b, t, x) => b.pad(b.mul(t, x), 0, 1, 2),
  "picked rows": (b, t, x) => b.emit("Gather", [b.mul(t, x), b.ints([1, 0, 1])], { axis: 1 }),
  "a picked column": (b, t, x) => b.emit("Gather", [b.mul(t, x), b.squeeze(b.ints([2]), [0])], { axis: 2 }),
  "picked by element": (b, t) =>
    b.emit("GatherElements", [t, b.emit("Reshape", [b.ints([2, 0]), b.ints([2, 1])])], { axis: 1 }),
  "put back by position": (b, t, x) =>
    b.emit("ScatterND", [x, b.emit("Reshape", [b.ints([3]), b.ints([1, 1])]), b.unsqueeze(t, [0])]),
  "a softmax": (b, t, x) => b.emit("Softmax", [b.mul(t, x)], { axis: 1 }),
  "a running sum": (b, t, x) => b.emit("CumSum", [b.mul(t, x), b.squeeze(b.ints([1]), [0])]),
  "a triangle": (b, t, x) => b.emit("Trilu", [b.mul(t, x)], { upper: 1 }),
  "a contraction": (b, t, x) => b.emit("Einsum", [t, x], { equation: "ij,kij->ki" }),
  "the shape of what is lifted": (b, t, x) => b.emit("Reshape", [x, b.shapeOf(b.mul(t, x))]),
  "nothing that depends on the target": (_, __, x) => x,
};

function program(expression: Expression, several: boolean): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  m.output(m.op("Identity", [m.input("x", "float32", [4, 2, 3])]));
  const model = m.bytes();
  const graph = importModel(readModel(model));
  const b = graph.builder;
  const one = b.value("float32", [2, 3]);
  const target = several ? severalOf(b, one) : one;
  const found = expression(b, one, graph.inputs.get("x")!);
  const value = b.node("Identity", [several ? lift(b, found, one, target) : found], {}, 1)[0]!;
  const inputs = [{ name: "t", value: target }];
  const outputs = [{ name: "y", value }];
  const patch = writePatch({ b, taken: graph.names, inputs, outputs, metadata: {}, irVersion: 8n });
  return Uint8Array.of(...model, ...patch.bytes);
}

const numbers = (dims: number[], from: number): NumberArray =>
  array(
    "float32",
    range(dims.reduce((n, d) => n * d, 1)).map((i) => Math.fround(Math.sin(from + i))),
    dims,
  );

test.each(Object.entries(expressions))("%s", async (_, expression) => {
  const x = numbers([4, 2, 3], 100);
  const targets = [1, 2, 3, 4, 5].map((seed) => numbers([2, 3], 10 * seed));
  const single = program(expression, false);
  const alone: NumberArray[] = [];
  for (const t of targets) alone.push((await run(single, { x, t })).y!);
  const stacked = array(
    "float32",
    targets.flatMap((t) => t.values),
    [5, 2, 3],
  );
  const { y } = await run(program(expression, true), { x, t: stacked });
  expect(y!.dims).toEqual([5, ...alone[0]!.dims]);
  const expected = alone.flatMap((a) => a.values);
  expect(expected.length).toBeGreaterThan(0);
  for (const [i, v] of y!.values.entries()) expect(v).toBeCloseTo(expected[i] as number, 5);
});
