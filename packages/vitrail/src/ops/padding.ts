/** Padding: with a constant, or with copies of what lies at the edge (edge), before it (reflect) or at the other end (wrap). */
import { fail } from "../errors.js";
import { ints, text } from "../ir/attribute.js";
import { type Node, numbersOf, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { normalizeAxis, type Shape } from "../tensor/shape.js";
import { type Builder, range } from "./builder.js";
import { entriesOf, input } from "./infer.js";
import { defineOp, type Inferred, refuseGradient } from "./operator.js";
import { sliceDims } from "./part.js";

/** How much is added before and behind every axis, where it can be told. */
export function padsOf(
  node: Pick<Node, "inputs" | "attributes">,
  rank: number,
): { readonly before: readonly D.Dim[]; readonly after: readonly D.Dim[] } | undefined {
  const pads = ints(node, "pads") ?? entriesOf(node.inputs[1]);
  const axes = node.inputs[3] ? numbersOf(node.inputs[3]) : range(rank);
  if (!pads || !axes) return undefined;
  const own = axes.map((a) => normalizeAxis(a, rank));
  const amounts = (from: number): readonly D.Dim[] =>
    range(rank).map((axis) => (own.includes(axis) ? pads[from + own.indexOf(axis)]! : 0));
  return { before: amounts(0), after: amounts(own.length) };
}

export const Pad = defineOp("Pad", {
  role: "movement",
  infer: (c): Inferred => {
    const x = input(c, 0);
    const pads = x.shape && padsOf(c.node, x.shape.length);
    const shape = x.shape?.map((d, i) => (pads ? D.add(d, D.add(pads.before[i]!, pads.after[i]!)) : c.fresh("padded")));
    return { type: x.type, shape };
  },
  gradient: ({ node, x: [x, pads, , axes], dy, b }) => {
    const mode = text(node, "mode", "constant");
    if (mode !== "constant") return [foldBack(b, dy, node, b.shape(x!))];
    return [unpad(b, dy, x!, pads!, axes && numbersOf(axes), node)];
  },
});

/** All axes, one after the other. */
function foldBack(b: Builder, dy: Value, node: Node, shape: Shape): Value {
  return shape.reduce<Value>((v, _, axis) => foldPadding(b, v, axis, node, shape), dy);
}

/**
 * What arrived at copies of elements (mode edge, reflect, wrap) is added to the elements that were copied, along one axis of `v`
 * that stands for `axis` of the padded tensor of the given shape.
 */
export function foldPadding(b: Builder, v: Value, axis: number, node: Node, shape: Shape, at = axis): Value {
  const mode = text(node, "mode", "constant");
  const pads = padsOf(node, shape.length);
  const d = shape[axis]!;
  const [before, after] = [pads?.before, pads?.after].map((amounts) => {
    const amount = amounts?.[axis];
    if (typeof amount === "number" && amount >= 0) return amount;
    return refuseGradient(node, `mode ${mode} is covered for amounts that are known and not negative`);
  }) as [number, number];
  if (before === 0 && after === 0) return v;
  const end = D.add(before, d);
  const [front, behind] = [b.slice(v, at, 0, before), sliceDims(b, v, at, end, Number.MAX_SAFE_INTEGER)];
  const reversed = (part: Value) => b.slice(part, at, -1, Number.MIN_SAFE_INTEGER, -1);
  const rest = (n: number) => D.subtract(d, n);
  const copies = {
    edge: [
      () => b.pad(b.reduceSum(front, [at]), at, 0, rest(1)),
      () => b.pad(b.reduceSum(behind, [at]), at, rest(1), 0),
    ],
    reflect: [
      () => b.pad(reversed(front), at, 1, rest(before + 1)),
      () => b.pad(reversed(behind), at, rest(after + 1), 1),
    ],
    wrap: [() => b.pad(front, at, rest(before), 0), () => b.pad(behind, at, 0, rest(after))],
  }[mode];
  if (!copies) refuseGradient(node, `mode ${mode} is not known`);
  const [first, last] = copies as [() => Value, () => Value];
  const own = sliceDims(b, v, at, before, end);
  return b.sum([own, ...(before > 0 ? [first()] : []), ...(after > 0 ? [last()] : [])]);
}

/**
 * What padding added is cut away, and zeros come back where it cropped (a negative amount). Cutting is a Slice: not every
 * evaluator takes the negative amounts that a Pad may have.
 */
function unpad(b: Builder, dy: Value, x: Value, pads: Value, axes: readonly number[] | undefined, node: Node): Value {
  const rank = b.rank(x);
  const padded = (axes ?? range(rank)).map((a) => normalizeAxis(a, rank));
  const amounts = numbersOf(pads);
  if (!amounts) return unpadAtRunTime(b, dy, x, pads, padded, node);
  return padded.reduce((back, axis, i) => {
    const [before, after] = [amounts[i]!, amounts[i + padded.length]!];
    const kept = D.add(b.shape(x)[axis]!, Math.min(before, 0) + Math.min(after, 0));
    const start = Math.max(before, 0);
    const cut = before > 0 || after > 0 ? sliceDims(b, back, axis, start, D.add(start, kept)) : back;
    return b.pad(cut, axis, Math.max(-before, 0), Math.max(-after, 0));
  }, dy);
}

/** As `unpad`, with amounts that only the run time knows: of either sign. */
function unpadAtRunTime(b: Builder, dy: Value, x: Value, pads: Value, axes: readonly number[], node: Node): Value {
  if (axes.length !== b.rank(x)) fail("E025", "Pad", { at: place(node), why: "its amounts are computed from data" });
  const zero = b.ints([0]);
  const negative = b.emit("Less", [pads, zero]);
  const [added, missing] = [
    b.emit("Where", [negative, zero, pads]),
    b.emit("Where", [negative, b.emit("Mul", [pads, b.ints([-1])]), zero]),
  ];
  const n = axes.length;
  const start = b.slice(added, 0, 0, n);
  const kept = b.emit("Sub", [b.shapeOf(x), b.emit("Add", [b.slice(missing, 0, 0, n), b.slice(missing, 0, n, 2 * n)])]);
  const cut = b.emit("Slice", [dy, start, b.emit("Add", [start, kept]), b.ints(axes), b.ints(axes.map(() => 1))]);
  const back = b.emit("Pad", [cut, missing]);
  back.shape = x.shape;
  return back;
}
