/**
 * How an operator takes an axis of targets: where that axis lies in its result, where the operator's own axes lie then, and how its
 * operands are aligned. One entry for every operator that cotangents pass in a patch.
 */
import { int } from "../ir/attribute.js";
import { numbersOf, type Value } from "../ir/graph.js";
import { range } from "../ops/builder.js";
import { equationOf } from "../ops/einsum.js";
import { normalizeAxis } from "../tensor/shape.js";
import { aligned, indexOf, isLifted, type Lifted, moved, type Operand, repeated, shifted, withEntry } from "./axis.js";
import { again, type LiftContext, type LiftRule, notCovered, values } from "./lift-rule.js";
import { expand, insertAxes, overAxes, reduction, reshape, transpose } from "./shapes.js";

/** The lifted operand with the most axes decides. */
const leading = ({ x }: Pick<LiftContext, "x">): Operand & Lifted =>
  x.filter(isLifted).reduce((most, o) => (o.rank > most.rank ? o : most));

const alignedTo = ({ b, x }: LiftContext, behind: number): (Value | undefined)[] =>
  x.map((o) => o && aligned(b, o, behind));

const elementwise: LiftRule = (c) => {
  const { behind } = leading(c);
  return again(c, alignedTo(c, behind), behind);
};

/** Against a matrix for all, targets are rows; else they stand before the last two axes, where products are repeated. */
const product: LiftRule = (c) => {
  const [a, w] = c.x as readonly [Operand, Operand];
  if ([a, w].some((o) => isLifted(o) && o.rank < 2)) notCovered(c, "a vector is multiplied");
  if (isLifted(a) && !isLifted(w) && w.rank <= 2) {
    const rows = Math.max(1, a.behind);
    return again(c, [moved(c.b, a, rows), w.value], rows);
  }
  const behind = Math.max(2, leading(c).behind);
  return again(c, alignedTo(c, behind), behind);
};

/** One attribute names an axis. */
const alongAxis =
  (otherwise: number): LiftRule =>
  (c) => {
    const [{ behind, rank }] = c.x as readonly [Operand & Lifted];
    return again(c, values(c.x), behind, { ...c.node.attributes, axis: namedAxis(c, rank, behind, otherwise) });
  };

const namedAxis = ({ node }: LiftContext, rank: number, behind: number, otherwise: number): number =>
  shifted(normalizeAxis(int(node, "axis", otherwise), rank), rank, behind);

/** Every operand for all targets, whose axis stands in the same place. */
function each(c: LiftContext, behind: number): Value[] {
  return c.x.map((o) => (isLifted(o) ? moved(c.b, o, behind) : repeated(c.b, o!.value, c.count, behind)));
}

const concat: LiftRule = (c) => {
  const { behind, rank } = leading(c);
  return again(c, each(c, behind), behind, { axis: namedAxis(c, rank, behind, 0) });
};

const slice: LiftRule = (c) => {
  const [{ value, behind, rank }, starts, ends, axes, steps] = c.x as readonly [Operand & Lifted, ...Operand[]];
  const at = axes ? numbersOf(axes.value) : range(rank);
  if (!at) notCovered(c, "its axes are computed from data");
  const over = c.b.ints(at.map((a) => shifted(normalizeAxis(a, rank), rank, behind)));
  return again(c, [value, starts!.value, ends!.value, over, steps?.value], behind);
};

/** [before..., after...] with a 0 for the targets in each half; given axes move. */
const pad: LiftRule = (c) => {
  const { b } = c;
  const [{ value, behind, rank }, pads, fill, axes] = c.x as readonly [Operand & Lifted, ...Operand[]];
  if (axes) {
    const at = numbersOf(axes.value) ?? notCovered(c, "its axes are computed from data");
    const over = b.ints(at.map((a) => shifted(normalizeAxis(a, rank), rank, behind)));
    return again(c, [value, pads!.value, fill?.value, over], behind);
  }
  const known = numbersOf(pads!.value);
  const at = indexOf(rank, behind);
  const part = (from: number, to: number): Value => b.slice(pads!.value, 0, from, to);
  const wide = known
    ? b.ints([...withEntry(known.slice(0, rank), behind, 0), ...withEntry(known.slice(rank), behind, 0)])
    : b.concat([part(0, at), b.ints([0]), part(at, rank + at), b.ints([0]), part(rank + at, 2 * rank)], 0);
  return again(c, fill ? [value, wide, fill.value] : [value, wide], behind);
};

const gather: LiftRule = (c) => {
  const [x, indices] = c.x as readonly [Operand, Operand];
  if (!isLifted(x) || isLifted(indices)) notCovered(c, "its indices depend on the target");
  const axis = normalizeAxis(int(c.node, "axis", 0), x.rank);
  const behind = axis < indexOf(x.rank, x.behind) ? x.behind : x.behind + indices.rank - 1;
  return again(c, values(c.x), behind, { ...c.node.attributes, axis: shifted(axis, x.rank, x.behind) });
};

/** Indices stand for one target: all get the same. */
const byElement: LiftRule = (c) => {
  const { behind, rank } = leading(c);
  return again(c, each(c, behind), behind, { ...c.node.attributes, axis: namedAxis(c, rank, behind, 0) });
};

/** Indices run over the first axes, so the targets go last meanwhile. */
const byPosition: LiftRule = (c) => {
  const { b, node } = c;
  const last = (o: Operand): Value => (isLifted(o) ? moved(b, o, 0) : repeated(b, o.value, c.count, 0));
  const outputs = again(
    c,
    c.x.map((o, i) => (i === 1 ? o!.value : last(o!))),
    0,
  );
  return outputs.map((o, i) => {
    const rank = b.rank(node.outputs[i]!);
    const behind = Math.min(1, rank);
    return { value: moved(b, { ...o, rank }, behind), behind };
  });
};

/** Operators of a fixed number of axes: targets count as samples. Which further operands differ between samples? */
const asSamples =
  (perSample: (index: number, rank: number) => boolean = () => false): LiftRule =>
  (c) => {
    const { b, node } = c;
    const [x, ...rest] = c.x;
    if (!isLifted(x) || rest.some(isLifted)) notCovered(c, "more than its data depends on the target");
    const from = (v: Value, axis: number): Value => b.slice(b.shapeOf(v), 0, axis, Number.MAX_SAFE_INTEGER);
    const merged = (v: Value): Value => b.emit("Reshape", [v, b.concat([b.ints([-1]), from(v, 2)], 0)]);
    const front = moved(b, x, x.rank);
    const others = rest.map((o, i) =>
      o && perSample(i + 1, o.rank) ? merged(repeated(b, o.value, c.count, o.rank)) : o?.value,
    );
    return again(c, [merged(front), ...others], 0).map(({ value }, i) => ({
      value: b.emit("Reshape", [value, b.concat([b.slice(b.shapeOf(front), 0, 0, 2), from(value, 1)], 0)]),
      behind: b.rank(node.outputs[i]!),
    }));
  };

/** Positions of every sample, or cosines and sines of every sample; tables of them are for all. */
const rotary = (ids: number): LiftRule => asSamples((index, rank) => rank === 3 || (index === ids && rank === 2));

const einsum: LiftRule = (c) => {
  const { operands, result } = equationOf(c.node);
  const used = new Set([...operands.join(""), ...result]);
  const free = [..."zyxwvutsrqponmlkjihgfedcba"].find((letter) => !used.has(letter));
  if (!free) notCovered(c, "its equation uses every letter");
  const behind = Math.min(leading(c).behind, result.length);
  const marked = (labels: string, at: number) => withEntry([...labels], at, free).join("");
  const lifted = operands.map((labels, i) => (isLifted(c.x[i]) ? marked(labels, c.x[i].behind) : labels));
  return again(c, values(c.x), behind, { equation: `${lifted.join(",")}->${marked(result, behind)}` });
};

const cumSum: LiftRule = (c) => {
  const [{ value, behind, rank }, axes] = c.x as readonly [Operand & Lifted, Operand];
  const [axis] = numbersOf(axes.value) ?? notCovered(c, "its axis is computed from data");
  return again(c, [value, c.b.squeeze(c.b.ints([shifted(normalizeAxis(axis!, rank), rank, behind)]), [0])], behind);
};

/** Takes the last two axes for a matrix. */
const lastTwo: LiftRule = (c) => {
  const [x, ...rest] = c.x as readonly [Operand & Lifted, ...(Operand | undefined)[]];
  const behind = Math.max(2, x.behind);
  return again(c, [moved(c.b, x, behind), ...values(rest)], behind);
};

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
  ["ReduceSum", reduction],
  ["ReduceMean", reduction],
  ["ReduceMax", reduction],
  ["ReduceMin", reduction],
  ["Squeeze", overAxes],
  ["Unsqueeze", insertAxes],
  ["Reshape", reshape],
  ["Expand", expand],
  ["Transpose", transpose],
  ["Slice", slice],
  ["Pad", pad],
  ["Trilu", lastTwo],
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
