/** Operators that join, take out or pad parts of a tensor: what arrives at a part goes back to where the part came from. */
import { fail } from "../errors.js";
import { int, ints, required } from "../ir/attribute.js";
import { type Node, numbersOf, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { Misfit } from "../tensor/misfit.js";
import { normalizeAxis, type Shape } from "../tensor/shape.js";
import { type Builder, range } from "./builder.js";
import { broadcastShapes, entriesOf, foldInts, input, pickInts, vector } from "./infer.js";
import { defineOp, type Inferred } from "./operator.js";
import { inputSince } from "./parameter.js";

export const Concat = defineOp("Concat", {
  role: "movement",
  infer: (c): Inferred => {
    const values = c.node.inputs.map((_, i) => input(c, i));
    const known = values.map(entriesOf);
    const first = values[0]!;
    const shapes = values.map((v) => v.shape);
    const entries = known.every((k) => k !== undefined) ? known.flat() : undefined;
    if (!shapes.every((s) => s !== undefined)) return { type: first.type, shape: undefined };
    const rank = shapes[0]!.length;
    if (rank === 0 || shapes.some((s) => s.length !== rank))
      throw new Misfit(`it joins tensors of ${shapes.map((s) => s.length).join(", ")} axes`);
    const axis = normalizeAxis(required(c.node, "axis", "int"), rank);
    for (const s of shapes) for (const [i, d] of s.entries()) if (i !== axis) c.equate(d, shapes[0]![i]!);
    const total = shapes.map((s) => s[axis]!).reduce(D.add);
    const shape = shapes[0]!.map((d, i) => (i === axis ? total : d));
    const dims = shape.every((d) => typeof d === "number") ? (shape as readonly number[]) : undefined;
    return { type: first.type, shape, ints: entries && dims && axis === 0 ? { dims, entries } : undefined };
  },
  gradient: ({ node, x, dy, b, wants }) => {
    const axis = normalizeAxis(int(node, "axis", 0), b.rank(x[0]!));
    let offset: D.Dim = 0;
    return x.map((v, i) => {
      const start = offset;
      offset = D.add(offset, b.shape(v)[axis]!);
      if (!wants[i]) return undefined;
      return sliceDims(b, dy, axis, start, i === x.length - 1 ? Number.MAX_SAFE_INTEGER : offset);
    });
  },
});

/** Elements [start, end) along an axis, with symbolic bounds. */
export function sliceDims(b: Builder, v: Value, axis: number, start: D.Dim, end: D.Dim, step = 1): Value {
  if (typeof start === "number" && typeof end === "number") return b.slice(v, axis, start, end, step);
  return b.emit("Slice", [v, b.extents.of(start), b.extents.of(end), b.ints([axis]), b.ints([step])]);
}

export const Slice = defineOp("Slice", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const x = input(c, 0);
    const ranges = x.shape && sliceRanges(c.node, x.shape);
    if (!x.shape) return { type: x.type, shape: undefined };
    const shape = ranges
      ? x.shape.map((d, i) => ranges.get(i)?.length ?? d)
      : x.shape.map((d, i) => (slicedAxes(c.node, x.shape!.length)?.includes(i) === false ? d : c.fresh("sliced")));
    return { type: x.type, shape, ints: ranges && sliceInts(x, ranges, shape) };
  },
  gradient: ({ node, x: [x], dy, b }) => {
    const shape = b.shape(x!);
    const ranges = sliceRanges(node, shape);
    if (!ranges) fail("E025", "Slice", { at: place(node), why: "its bounds are computed from data" });
    let back = dy;
    for (const [axis, r] of ranges) back = unslice(b, back, axis, r, shape[axis]!, node);
    return [back];
  },
});

interface SliceRange {
  readonly start: D.Dim;
  readonly length: D.Dim;
  readonly step: number;
}

const attribute = (node: Pick<Node, "attributes">, name: string) => ints(node, name);
const slicedAxes = (node: Pick<Node, "inputs" | "attributes">, rank: number): readonly number[] | undefined => {
  const axes = attribute(node, "axes") ?? numbersOf(node.inputs[3]);
  return (node.inputs[3] || attribute(node, "axes") ? axes : range(rank))?.map((a) => normalizeAxis(a, rank));
};

/** Start, length and step per sliced axis, where they can be told. */
export function sliceRanges(
  node: Pick<Node, "inputs" | "attributes">,
  shape: Shape,
): Map<number, SliceRange> | undefined {
  const starts = attribute(node, "starts") ?? entriesOf(node.inputs[1]);
  const ends = attribute(node, "ends") ?? entriesOf(node.inputs[2]);
  const axes = slicedAxes(node, shape.length);
  const steps = attribute(node, "steps") ?? (node.inputs[4] ? numbersOf(node.inputs[4]) : starts?.map(() => 1));
  if (!starts || !ends || !axes || !steps) return undefined;
  const ranges = new Map<number, SliceRange>();
  for (const [i, start] of starts.entries()) {
    const axis = axes[i]!;
    ranges.set(axis, sliceRange(start, ends[i]!, steps[i]!, shape[axis]!));
  }
  return ranges;
}

function sliceRange(start: D.Dim, end: D.Dim, step: number, extent: D.Dim): SliceRange {
  const highest = step > 0 ? extent : D.add(extent, -1);
  // A symbolic bound is taken for one inside the axis, as a runtime's own length would be.
  const bound = (at: D.Dim, lowest: number): D.Dim => {
    if (typeof at !== "number") return at;
    if (at >= Number.MAX_SAFE_INTEGER) return highest;
    if (at <= Number.MIN_SAFE_INTEGER) return lowest;
    return D.maximum(D.minimum(at < 0 ? D.add(extent, at) : at, highest), lowest);
  };
  const [from, to] = [bound(start, step > 0 ? 0 : -1), bound(end, step > 0 ? 0 : -1)];
  const span = step > 0 ? D.subtract(to, from) : D.subtract(from, to);
  const length = D.floorDivide(D.add(span, Math.abs(step) - 1), Math.abs(step));
  return { start: from, length: typeof length === "number" ? Math.max(length, 0) : length, step };
}

function sliceInts(x: Value, ranges: Map<number, SliceRange>, shape: Shape) {
  const starts = x.shape!.map((_, axis) => ranges.get(axis)?.start ?? 0);
  if (!starts.every((start) => typeof start === "number")) return undefined;
  return pickInts(x, shape, (at) => at.map((i, axis) => (starts[axis] as number) + i * (ranges.get(axis)?.step ?? 1)));
}

/**
 * Puts the elements of a slice back among zeros, along an axis of the given extent. A step that leaves less than itself behind
 * the last element makes the spread longer than the axis, by a number that is known or at most step - 1.
 */
export function unslice(b: Builder, dy: Value, axis: number, r: SliceRange, extent: D.Dim, node: Node): Value {
  if (r.step === 1) return b.pad(dy, axis, r.start, D.subtract(extent, D.add(r.start, r.length)));
  if (r.step < 0) {
    if (r.step !== -1) fail("E025", "Slice", { at: place(node), why: `step ${r.step} is not covered` });
    const reversed = b.slice(dy, axis, -1, Number.MIN_SAFE_INTEGER, -1);
    const first = D.add(D.subtract(r.start, r.length), 1);
    return b.pad(reversed, axis, first, D.subtract(D.subtract(extent, first), r.length));
  }
  const shape = b.shape(dy);
  const spread = b.pad(b.unsqueeze(dy, [axis + 1]), axis + 1, 0, r.step - 1);
  const merged = b.reshape(
    spread,
    shape.map((d, i) => (i === axis ? D.multiply(d, r.step) : d)),
  );
  const after = D.subtract(extent, D.add(r.start, D.multiply(r.length, r.step)));
  if (typeof after === "number") return b.pad(merged, axis, r.start, after);
  return sliceDims(b, b.pad(merged, axis, r.start, D.add(after, r.step - 1)), axis, 0, extent);
}

export const Split = defineOp("Split", {
  role: "movement",
  verbatim: true,
  infer: (c): readonly Inferred[] => {
    const x = input(c, 0);
    if (!x.shape) return range(c.outputs).map(() => ({ type: x.type, shape: undefined }));
    const axis = normalizeAxis(int(c.node, "axis", 0), x.shape.length);
    const known = x.shape.length === 1 ? entriesOf(x) : undefined;
    let start = 0;
    return splitSizes(c.node, x.shape[axis]!, c.outputs).map((size) => {
      const from = start;
      start = typeof size === "number" ? start + size : Number.NaN;
      const ints = known && !Number.isNaN(start) ? vector(known.slice(from, start)) : undefined;
      return { type: x.type, shape: x.shape!.map((d, i) => (i === axis ? size : d)), ints };
    });
  },
  gradient: ({ node, x: [x], dys, b, y }) => {
    const axis = normalizeAxis(int(node, "axis", 0), b.rank(x!));
    return [
      b.concat(
        dys.map((d, i) => d ?? b.zerosLike(y[i]!)),
        axis,
      ),
    ];
  },
  ...inputSince("split", 13),
});

function splitSizes(node: Pick<Node, "attributes" | "inputs">, extent: D.Dim, count: number): readonly D.Dim[] {
  const given = attribute(node, "split") ?? entriesOf(node.inputs[1]);
  if (given) return given;
  if (typeof extent !== "number") return range(count).map(() => D.floorDivide(extent, count));
  const chunk = Math.ceil(extent / count);
  return range(count).map((i) => Math.min(chunk, extent - i * chunk));
}

export const Where = defineOp("Where", {
  role: "movement",
  infer: (c): Inferred => ({
    type: input(c, 1).type,
    shape: broadcastShapes(c.node.inputs),
    ints: foldInts(c.node.inputs, (condition, a, e) => (condition === 1 ? a : condition === 0 ? e : undefined)),
  }),
  gradient: ({ x: [condition, a, e], dy, b, wants }) => {
    const zero = b.scalar(0);
    return [
      undefined,
      wants[1] ? b.unbroadcast(b.where(condition!, dy, zero), a!) : undefined,
      wants[2] ? b.unbroadcast(b.where(condition!, zero, dy), e!) : undefined,
    ];
  },
});
