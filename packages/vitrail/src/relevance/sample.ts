/** Sums over one sample. Where the sample's axis lies (and what it is folded with) is found from the output backwards. */

import { inputLayout, type Layout } from "../flow/layout.js";
import { outputLayout } from "../flow/output.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import { type Dim, product } from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";

/** Layouts of all data values that `output` depends on, as far as they can be told. */
export function layoutsOf(
  output: Value,
  isSite: (node: Node) => boolean,
  passThrough: (node: Node) => Value | undefined,
): Map<Value, Layout> {
  const layouts = new Map<Value, Layout>();
  if (output.shape) layouts.set(output, outputLayout(output));
  for (const node of ancestors([output], dataInputs).reverse()) {
    const known = node.outputs.find((v) => layouts.has(v));
    if (!known) continue;
    const out = layouts.get(known)!;
    const unit = passThrough(node);
    if (unit && !layouts.has(unit)) layouts.set(unit, out);
    if (unit) continue;
    node.inputs.forEach((v, i) => {
      if (!v?.data || layouts.has(v)) return;
      const layout = inputLayout(node, i, out, isSite(node));
      if (layout) layouts.set(v, layout);
    });
  }
  return layouts;
}

/** Sum over everything but the sample, in a shape that broadcasts against `v`. */
export function sampleSum(b: Builder, v: Value, layout: Layout | undefined): Value {
  const shape = b.shape(v);
  const axis = sampleAxis(shape, layout);
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  const atoms = layout?.[axis];
  if (!atoms || atoms.length === 1) return b.reduceSum(v, others);
  return foldedSum(
    b,
    v,
    axis,
    atoms.map((a) => a.size),
    atoms.findIndex((a) => a.kind === "batch"),
  );
}

/** Mean over everything but the sample, in a shape that broadcasts against `v`. */
export function sampleMean(b: Builder, v: Value, layout: Layout | undefined): Value {
  const shape = b.shape(v);
  const axis = sampleAxis(shape, layout);
  const own = (layout?.[axis] ?? []).filter((a) => a.kind !== "batch").map((a) => a.size);
  const extents = [...shape.filter((_, i) => i !== axis), ...own];
  const known = extents.every((d) => typeof d === "number");
  const count = known ? (extents as number[]).reduce((n, d) => n * d, 1) : sampleSum(b, b.add(b.mul(v, 0), 1), layout);
  return b.div(sampleSum(b, v, layout), count);
}

/** The axis that the sample lies on; -1 where a fixed single sample has none. */
const sampleAxis = (shape: Shape, layout: Layout | undefined): number =>
  layout?.findIndex((atoms) => atoms.some((a) => a.kind === "batch")) ?? (shape.length > 1 ? 0 : -1);

/** Sum over everything but the sample: [batch, 1]. */
export function sampleTotal(b: Builder, v: Value, layout: Layout | undefined): Value {
  const shape = b.shape(v);
  const axis = sampleAxis(shape, layout);
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  const summed = b.reduceSum(v, others);
  const atoms = layout?.[axis];
  if (!atoms || atoms.length < 2) return b.reshape(summed, [axis < 0 ? 1 : shape[axis]!, 1]);
  const at = atoms.findIndex((a) => a.kind === "batch");
  const size = (from: number, to?: number) => product(atoms.slice(from, to).map((a) => a.size));
  const apart = b.reshape(summed, [size(0, at), atoms[at]!.size, size(at + 1)]);
  return b.reshape(b.reduceSum(apart, [0, 2]), [atoms[at]!.size, 1]);
}

/** Sum over everything, sample by sample first: for a single one the number is `sampleSum`'s. */
export function batchSum(b: Builder, v: Value, layout: Layout | undefined): Value {
  const all = b.reduceSum(sampleTotal(b, v, layout), [0, 1], false);
  return b.reshape(
    all,
    b.shape(v).map(() => 1),
  );
}

/** The sample shares its axis with something else: [before, batch, after] is taken apart, summed and spread again. */
function foldedSum(b: Builder, v: Value, axis: number, sizes: readonly Dim[], at: number): Value {
  const shape = b.shape(v);
  const [before, batch, after] = [product(sizes.slice(0, at)), sizes[at]!, product(sizes.slice(at + 1))];
  const summed = b.reduceSum(
    v,
    shape.map((_, i) => i).filter((i) => i !== axis),
  );
  const apart = b.reshape(summed, [before, batch, after]);
  const spread = b.expand(b.reduceSum(apart, [0, 2]), [before, batch, after]);
  return b.reshape(
    spread,
    shape.map((d, i) => (i === axis ? d : 1)),
  );
}
