/** Shape rules and integer folding that many operators share. */
import { intsOf, type SymbolicInts, type Value } from "../ir/graph.js";
import type { Dim } from "../tensor/dim.js";
import type { ElementType } from "../tensor/element-type.js";
import { Misfit } from "../tensor/misfit.js";
import { broadcast, type Shape } from "../tensor/shape.js";
import { elementCount } from "../tensor/tensor.js";
import type { InferContext, Inferred } from "./operator.js";

/** @throws Misfit where the node does not have it */
export function input(c: InferContext, i: number): Value {
  const value = c.node.inputs[i];
  if (!value) throw new Misfit(`its input ${i} is missing`);
  return value;
}

/** Same type and shape as input `i`. */
export const like =
  (i = 0, type?: ElementType) =>
  (c: InferContext): Inferred => ({ type: type ?? input(c, i).type, shape: input(c, i).shape });

export function broadcastShapes(values: readonly (Value | undefined)[]): Shape | undefined {
  const shapes = values.map((v) => v?.shape);
  return shapes.every((s) => s !== undefined) ? broadcast(...shapes) : undefined;
}

/** Element by element over all inputs, with integer folding. */
export const elementwise =
  (fold?: (...entries: Dim[]) => Dim | undefined, type?: ElementType) =>
  (c: InferContext): Inferred => ({
    type: type ?? input(c, 0).type,
    shape: broadcastShapes(c.node.inputs),
    ints: fold && foldInts(c.node.inputs, fold),
  });

export const BIGGEST_FOLD = 64;

/** Applies `f` to small known integer tensors with broadcasting. */
export function foldInts(
  values: readonly (Value | undefined)[],
  f: (...entries: Dim[]) => Dim | undefined,
): SymbolicInts | undefined {
  const known = values.map(intsOf);
  if (!known.every((k) => k !== undefined)) return undefined;
  const dims = broadcast(...known.map((k) => k.dims)) as readonly number[];
  const count = elementCount(dims);
  if (count > BIGGEST_FOLD) return undefined;
  const entries: Dim[] = [];
  for (let i = 0; i < count; i++) {
    const entry = f(...known.map((k) => k.entries[sourceIndex(i, dims, k.dims)]!));
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return { dims, entries };
}

/** Position in a tensor of shape `from` that element `index` of its broadcast to `to` comes from. */
export function sourceIndex(index: number, to: readonly number[], from: readonly number[]): number {
  let rest = index;
  let stride = 1;
  let at = 0;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const coordinate = rest % to[axis]!;
    rest = Math.floor(rest / to[axis]!);
    const own = axis - (to.length - from.length);
    if (own < 0) continue;
    if (from[own] !== 1) at += coordinate * stride;
    stride *= from[own]!;
  }
  return at;
}

/** Known integers at other places: the entry at a position of `dims` is the one of `x` at `from(position)`. */
export function pickInts(
  x: Value,
  dims: Shape | undefined,
  from: (at: readonly number[]) => readonly number[],
): SymbolicInts | undefined {
  const known = intsOf(x);
  if (!known || !dims?.every((d) => typeof d === "number")) return undefined;
  const extents = dims as readonly number[];
  const count = elementCount(extents);
  if (count > BIGGEST_FOLD) return undefined;
  const entries = Array.from(
    { length: count },
    (_, i) => known.entries[flatIndex(from(positionOf(i, extents)), known.dims)],
  );
  return entries.every((e) => e !== undefined) ? { dims: extents, entries } : undefined;
}

const flatIndex = (at: readonly number[], dims: readonly number[]): number =>
  at.reduce((flat, i, axis) => flat * dims[axis]! + i, 0);

function positionOf(index: number, dims: readonly number[]): number[] {
  let rest = index;
  return dims.map((_, axis) => {
    const stride = elementCount(dims.slice(axis + 1));
    const at = Math.floor(rest / stride);
    rest -= at * stride;
    return at;
  });
}

export const vector = (entries: readonly Dim[]): SymbolicInts => ({ dims: [entries.length], entries });

/** Symbolic integers of a value as a list, whatever their shape. */
export const entriesOf = (v: Value | undefined): readonly Dim[] | undefined => intsOf(v)?.entries;
