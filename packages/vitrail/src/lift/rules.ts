/**
 * How an operator takes a leading axis: where its axes lie then, and how its operands are aligned. One entry for every operator
 * that cotangents pass in a patch; ranks and axes below are those of the graph without the leading axis.
 */

import { fail } from "../errors.js";
import { type Node, numbersOf, place, type Value } from "../ir/graph.js";
import { type Builder, range } from "../ops/builder.js";
import { permOf } from "../ops/movement.js";
import { equationOf } from "../ops/product.js";
import type { Dim } from "../tensor/dim.js";
import { normalizeAxis } from "../tensor/shape.js";

/** An input of a node that is lifted: with the leading axis itself, or one value for all. */
export interface Operand {
  readonly value: Value;
  readonly lifted: boolean;
  /** Axes without the leading one. */
  readonly rank: number;
}

export interface LiftContext {
  readonly b: Builder;
  readonly node: Node;
  readonly x: readonly (Operand | undefined)[];
  /** Extent of the leading axis. */
  readonly count: Dim;
}

/** The node's outputs with the leading axis. */
export type LiftRule = (context: LiftContext) => readonly Value[];

const values = (x: LiftContext["x"]): (Value | undefined)[] => x.map((o) => o?.value);
const again = ({ b, node }: LiftContext, inputs: readonly (Value | undefined)[], attributes = node.attributes) =>
  b.emitAll(node.operator, inputs, attributes, node.outputs.length);

/** With as many axes as broadcasting over `rank` axes needs: the leading axis must stay the first. */
function widened(b: Builder, { value, lifted, rank: own }: Operand, rank: number): Value {
  return lifted
    ? b.unsqueeze(
        value,
        range(rank - own).map((i) => i + 1),
      )
    : value;
}

const ranks = (x: LiftContext["x"]): number[] => x.flatMap((o) => (o ? [o.rank] : []));

const elementwise: LiftRule = (c) => {
  const rank = Math.max(...ranks(c.x));
  return again(
    c,
    c.x.map((o) => o && widened(c.b, o, rank)),
  );
};

/** Leading axes broadcast as they do anyway. */
const product: LiftRule = (c) => {
  if (c.x.some((o) => o?.lifted && o.rank < 2)) notCovered(c, "a vector is multiplied");
  return elementwise(c);
};

/** One attribute names an axis. */
const alongAxis =
  (otherwise: number): LiftRule =>
  (c) =>
    again(c, values(c.x), { ...c.node.attributes, axis: shifted(c, otherwise) });

const shifted = ({ node, x }: LiftContext, otherwise: number): number =>
  normalizeAxis((node.attributes.axis as number | undefined) ?? otherwise, x.find((o) => o?.lifted)!.rank) + 1;

/** Axes as an attribute, or from an input that only the run knows. */
const overAxes: LiftRule = (c) => {
  const [x, axes] = c.x;
  if (axes) return again(c, [x!.value, c.b.emit("Add", [axes.value, c.b.ints([1])])]);
  const given = (c.node.attributes.axes as readonly number[] | undefined) ?? range(x!.rank);
  return again(c, [x!.value], { ...c.node.attributes, axes: given.map((a) => normalizeAxis(a, x!.rank) + 1) });
};

const insertAxes: LiftRule = (c) => {
  const axes = c.node.attributes.axes as readonly number[];
  const rank = c.x[0]!.rank + axes.length;
  return again(c, [c.x[0]!.value], { axes: axes.map((a) => normalizeAxis(a, rank) + 1) });
};

/** A shape with one more entry in front. */
function withEntry(b: Builder, shape: Value, entry: number): Value {
  const known = numbersOf(shape);
  return known ? b.ints([entry, ...known]) : b.emit("Concat", [b.ints([entry]), shape], { axis: 0 });
}

/** 0 keeps the extent that the axis has. */
const reshape: LiftRule = (c) => again(c, [c.x[0]!.value, withEntry(c.b, c.x[1]!.value, 0)]);

const expand: LiftRule = (c) => {
  const rank = c.b.rank(c.node.outputs[0]!);
  return again(c, [widened(c.b, c.x[0]!, rank), withEntry(c.b, c.x[1]!.value, 1)]);
};

const transpose: LiftRule = (c) =>
  again(c, values(c.x), { perm: [0, ...permOf(c.node, c.x[0]!.rank).map((p) => p + 1)] });

/** The same for every target, as often as there are targets. */
export function repeated(b: Builder, v: Value, count: Dim): Value {
  const ones = range(b.rank(v)).map(() => 1);
  return b.expand(b.unsqueeze(v, [0]), [count, ...ones]);
}
const ownEach = ({ b, count }: LiftContext, o: Operand): Value => (o.lifted ? o.value : repeated(b, o.value, count));

const concat: LiftRule = (c) =>
  again(
    c,
    c.x.map((o) => ownEach(c, o!)),
    { axis: shifted(c, 0) },
  );

const slice: LiftRule = (c) => {
  const [x, starts, ends, axes, steps] = c.x;
  const at = axes ? numbersOf(axes.value) : range(x!.rank);
  if (!at) notCovered(c, "its axes are computed from data");
  const moved = c.b.ints(at.map((a) => normalizeAxis(a, x!.rank) + 1));
  return again(c, [x!.value, starts!.value, ends!.value, moved, steps?.value]);
};

/** [before..., after...] with a 0 in front of each half; given axes move by one. */
const pad: LiftRule = (c) => {
  const { b } = c;
  const [x, pads, fill, axes] = c.x;
  if (axes) {
    const at = numbersOf(axes.value) ?? notCovered(c, "its axes are computed from data");
    return again(c, [x!.value, pads!.value, fill?.value, b.ints(at.map((a) => normalizeAxis(a, x!.rank) + 1))]);
  }
  const known = numbersOf(pads!.value);
  const half = (from: number): Value => b.slice(pads!.value, 0, from, from + x!.rank);
  const wide = known
    ? b.ints([0, ...known.slice(0, x!.rank), 0, ...known.slice(x!.rank)])
    : b.concat([b.ints([0]), half(0), b.ints([0]), half(x!.rank)], 0);
  return again(c, fill ? [x!.value, wide, fill.value] : [x!.value, wide]);
};

const gather: LiftRule = (c) => {
  if (c.x[1]!.lifted) notCovered(c, "its indices depend on the target");
  return alongAxis(0)(c);
};

/** Indices stand for one target: all get the same. */
const byElement: LiftRule = (c) =>
  again(
    c,
    c.x.map((o) => ownEach(c, o!)),
    { ...c.node.attributes, axis: shifted(c, 0) },
  );

/** Indices run over the first axes, so the targets go last meanwhile. */
const byPosition: LiftRule = (c) => {
  const { b, node } = c;
  const last = (v: Value): Value => b.transpose(v, [...range(b.rank(v)).slice(1), 0]);
  const inputs = c.x.map((o, i) => (i === 1 ? o!.value : last(ownEach(c, o!))));
  return again(c, inputs).map((v, i) => {
    const rank = b.rank(node.outputs[i]!);
    return b.transpose(v, [rank, ...range(rank)]);
  });
};

/** Operators of a fixed number of axes: targets count as samples. Which further operands differ between samples? */
const asSamples =
  (perSample: (index: number, rank: number) => boolean = () => false): LiftRule =>
  (c) => {
    const { b } = c;
    const [x, ...rest] = c.x;
    if (!x?.lifted || rest.some((o) => o?.lifted)) notCovered(c, "more than its data depends on the target");
    const from = (v: Value, axis: number): Value => b.slice(b.shapeOf(v), 0, axis, Number.MAX_SAFE_INTEGER);
    const merged = (v: Value): Value => b.emit("Reshape", [v, b.concat([b.ints([-1]), from(v, 2)], 0)]);
    const others = rest.map((o, i) => (o && perSample(i + 1, o.rank) ? merged(ownEach(c, o)) : o?.value));
    return again(c, [merged(x.value), ...others]).map((y) =>
      b.emit("Reshape", [y, b.concat([b.slice(b.shapeOf(x.value), 0, 0, 2), from(y, 1)], 0)]),
    );
  };

/** Positions of every sample, or cosines and sines of every sample; tables of them are for all. */
const rotary = (ids: number): LiftRule => asSamples((index, rank) => rank === 3 || (index === ids && rank === 2));

const einsum: LiftRule = (c) => {
  const { operands, result } = equationOf(c.node);
  const used = new Set([...operands.join(""), ...result]);
  const free = [..."zyxwvutsrqponmlkjihgfedcba"].find((letter) => !used.has(letter));
  if (!free) notCovered(c, "its equation uses every letter");
  const marked = operands.map((labels, i) => (c.x[i]!.lifted ? free + labels : labels));
  return again(c, values(c.x), { equation: `${marked.join(",")}->${free}${result}` });
};

const cumSum: LiftRule = (c) => {
  const [axis] = numbersOf(c.x[1]!.value) ?? notCovered(c, "its axis is computed from data");
  return again(c, [c.x[0]!.value, c.b.squeeze(c.b.ints([normalizeAxis(axis!, c.x[0]!.rank) + 1]), [0])]);
};

export function notCovered({ node }: Pick<LiftContext, "node">, why: string): never {
  fail("E034", node.operator, {
    at: place(node),
    node: node.source,
    why,
    try: "one target in each run (without severalTargets)",
  });
}

const BY_ELEMENT =
  "Add Sub Mul Div Pow Mod Max Min Where Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf Identity Cast " +
  "Abs Neg Sign Exp Log Sqrt Reciprocal Erf Tanh Sigmoid Relu Softplus Sin Cos Floor Ceil Round Clip";

export const liftRules: ReadonlyMap<string, LiftRule> = new Map<string, LiftRule>([
  ...BY_ELEMENT.split(" ").map((name) => [name, elementwise] as const),
  ["MatMul", product],
  ["Einsum", einsum],
  ["Softmax", alongAxis(-1)],
  ["Split", alongAxis(0)],
  ["Gather", gather],
  ["Concat", concat],
  ["ReduceSum", overAxes],
  ["ReduceMean", overAxes],
  ["ReduceMax", overAxes],
  ["ReduceMin", overAxes],
  ["Squeeze", overAxes],
  ["Unsqueeze", insertAxes],
  ["Reshape", reshape],
  ["Expand", expand],
  ["Transpose", transpose],
  ["Slice", slice],
  ["Pad", pad],
  // The last two axes, wherever those are.
  ["Trilu", (c) => again(c, values(c.x))],
  ["CumSum", cumSum],
  ["GatherElements", byElement],
  ["ScatterElements", byElement],
  ["GatherND", byPosition],
  ["ScatterND", byPosition],
  ["Conv", asSamples()],
  ["ConvTranspose", asSamples()],
  ["DepthToSpace", asSamples()],
  ["SpaceToDepth", asSamples()],
  ["RotaryEmbedding", rotary(3)],
  ["com.microsoft::RotaryEmbedding", rotary(1)],
]);
