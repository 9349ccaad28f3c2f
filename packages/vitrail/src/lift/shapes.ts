/** How operators that change which axes there are take an axis of targets. */
import { flag, ints, required } from "../ir/attribute.js";
import { numbersOf, type Value } from "../ir/graph.js";
import { range } from "../ops/builder.js";
import { permOf } from "../ops/movement.js";
import { type Dim, equal, product } from "../tensor/dim.js";
import { normalizeAxis } from "../tensor/shape.js";
import { indexOf, type Lifted, moved, type Operand, shifted, withEntry } from "./axis.js";
import { again, type LiftRule } from "./lift-rule.js";

/** Axes as an attribute, or from an input that only the run knows. */
export const overAxes: LiftRule = (c) => {
  const [x, axes] = c.x as readonly [Operand & Lifted, Operand?];
  const { rank, behind } = x;
  if (axes) return again(c, [moved(c.b, x, rank), c.b.emit("Add", [axes.value, c.b.ints([1])])], rank);
  const given = ints(c.node, "axes") ?? range(rank);
  const over = given.map((a) => normalizeAxis(a, rank));
  const keeps = flag(c.node, "keepdims", true) && c.node.operator !== "Squeeze";
  const left = keeps ? behind : behind - over.filter((a) => a >= indexOf(rank, behind)).length;
  return again(c, [x.value], left, { ...c.node.attributes, axes: over.map((a) => shifted(a, rank, behind)) });
};

/** The axes behind the targets first: a runtime is slow where axes that stay lie between those that go. */
export const reduction: LiftRule = (c) => {
  const { b, node } = c;
  const [x] = c.x as readonly [Operand & Lifted];
  const axes = ints(node, "axes")?.map((a) => normalizeAxis(a, x.rank)) ?? [];
  const before = axes.filter((a) => a < indexOf(x.rank, x.behind));
  if (before.length === 0 || before.length === axes.length) return overAxes(c);
  const [partly] = again(c, [x.value], x.behind, {
    axes: axes.filter((a) => !before.includes(a)).map((a) => a + 1),
    keepdims: 1,
  });
  const [{ value, behind }] = again(c, [partly!.value], x.behind, { axes: before, keepdims: 1 }) as [Lifted];
  if (flag(node, "keepdims", true)) return [{ value, behind }];
  const squeezed = axes.map((a) => shifted(a, x.rank, behind));
  return [{ value: b.squeeze(value, squeezed), behind: behind - (axes.length - before.length) }];
};

/** The targets stay before the axis before which they stood; where they stood last, new axes come after them. */
export const insertAxes: LiftRule = (c) => {
  const [{ value, behind, rank }] = c.x as readonly [Operand & Lifted];
  const wide = rank + required(c.node, "axes", "ints").length;
  const axes = required(c.node, "axes", "ints").map((a) => normalizeAxis(a, wide));
  const old = range(wide).filter((a) => !axes.includes(a));
  const follower = old[indexOf(rank, behind)];
  const at = follower ?? (old.at(-1) ?? -1) + 1;
  return again(c, [value], wide - at, { axes: axes.map((a) => shifted(a, wide, wide - at)) });
};

/**
 * The targets stand between two axes of the input; the result needs a place with as many elements before it. Best is where they
 * stand (then nothing is copied), else the innermost one that leaves an axis behind.
 */
export const reshape: LiftRule = (c) => {
  const { b, node } = c;
  const [x, shape] = c.x as readonly [Operand & Lifted, Operand];
  const from = b.shape(node.inputs[0]!);
  const to = node.outputs[0]!.shape;
  if (to && b.extents.canReshapeTo([...to, c.count])) {
    const now = indexOf(x.rank, x.behind);
    const found = placesBetween(from, to).sort(
      (p, q) => Number(q.input === now) - Number(p.input === now) || q.output - p.output,
    )[0]!;
    const behind = to.length - found.output;
    const at = moved(b, x, x.rank - found.input);
    return [{ value: b.reshape(at, withEntry(to, behind, c.count)), behind }];
  }
  // In front 0 keeps the extent that the axis has.
  const known = numbersOf(shape.value);
  const wide = known ? b.ints([0, ...known]) : b.concat([b.ints([0]), shape.value], 0);
  return again(c, [moved(b, x, x.rank), wide], b.rank(node.outputs[0]!));
};

/** Where both shapes have as many elements before as after; at least one axis comes after, if there is one. */
function placesBetween(from: readonly Dim[], to: readonly Dim[]): { input: number; output: number }[] {
  const places = [{ input: 0, output: 0 }];
  for (const input of range(from.length + 1)) {
    const elements = product(from.slice(0, input));
    const outputs = range(to.length).filter((output) => equal(product(to.slice(0, output)), elements));
    if (outputs.length > 0) places.push({ input, output: outputs.at(-1)! });
  }
  return places;
}

/** A shape with a 1 where the targets stand. */
export const expand: LiftRule = (c) => {
  const { b } = c;
  const [x, shape] = c.x as readonly [Operand & Lifted, Operand];
  const rank = b.rank(c.node.outputs[0]!);
  const known = numbersOf(shape.value);
  const at = indexOf(rank, x.behind);
  const part = (from: number, to: number): Value => b.slice(shape.value, 0, from, to);
  const wide = known ? b.ints(withEntry(known, x.behind, 1)) : b.concat([part(0, at), b.ints([1]), part(at, rank)], 0);
  return again(c, [x.value, wide], x.behind);
};

/** As many axes stay behind the targets: those of a head, when tokens and heads change places. */
export const transpose: LiftRule = (c) => {
  const [{ value, behind, rank }] = c.x as readonly [Operand & Lifted];
  const perm = permOf(c.node, rank).map((p) => shifted(p, rank, behind));
  return [{ value: c.b.transpose(value, withEntry(perm, behind, indexOf(rank, behind))), behind }];
};
