/** How a row passes operators that pick tokens or lay them beside others: it is scattered back to where they came from. */
import { int, text } from "../ir/attribute.js";
import { numbersOf, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { oneHot } from "../ops/indexing.js";
import { foldPadding, padsOf } from "../ops/padding.js";
import { sliceDims, sliceRanges, unslice } from "../ops/part.js";
import * as D from "../tensor/dim.js";
import { normalizeAxis } from "../tensor/shape.js";
import { type Atom, keptAtoms, refuseTokens } from "./layout.js";
import { alongAxis, changedAxes, type MoveRule, unchanged } from "./move-rule.js";
import { mapRow, sizes } from "./row.js";

/** A gather that picks everything once, channels included, is a view (PyTorch's as_strided). */
const isView = (picked: readonly Atom[], axis: readonly Atom[]): boolean =>
  picked.length === axis.length && picked.every((a, i) => a === axis[i]);

export const gather: MoveRule = (b, { node, index, row, layout }) => {
  const axis = normalizeAxis(int(node, "axis", 0), node.inputs[index]!.rank!);
  const extent = node.inputs[index]!.shape![axis]!;
  const picked = node.inputs[1]!;
  const at = numbersOf(picked);
  const before = keptAtoms(row.layout.slice(0, axis)).length;
  const count = keptAtoms(row.layout.slice(axis, axis + picked.rank!)).length;
  const place = keptAtoms(layout.slice(0, axis)).length;
  if (layout[axis]!.length === 0 || isView(row.layout.slice(axis, axis + picked.rank!).flat(), layout[axis]!))
    return unchanged(b, { node, index, row, layout, value: node.outputs[0]!, reading: false });
  const moved = mapRow(row, layout, (part) => {
    if (at?.length === 1) {
      const first = at[0]! < 0 ? D.add(extent, at[0]!) : at[0]!;
      const lone = count === 0 ? b.unsqueeze(part, [place]) : part;
      return b.pad(lone, place, first, D.subtract(extent, D.add(first, 1)));
    }
    return b.reshape(scatterRows(b, part, picked, extent, before, count, place), sizes(keptAtoms(layout)));
  });
  return { row: moved, note: at?.length === 1 ? `token ${at[0]}` : "tokens picked by index" };
};

/** Rows picked by a vector of indices go back to where they came from (repeated ones are summed). */
function scatterRows(
  b: Builder,
  part: Value,
  index: Value,
  extent: D.Dim,
  before: number,
  count: number,
  place: number,
): Value {
  const shape = b.shape(part);
  const middle = shape.slice(before, before + count);
  const hot = oneHot(b, b.reshape(index, [D.product(b.shape(index))]), extent);
  const front = shape.slice(0, before);
  const back = shape.slice(before + count);
  const flat = b.reshape(part, [D.product(front), D.product(middle), D.product(back)]);
  const turned = b.matmul(b.transpose(flat, [0, 2, 1]), hot);
  const dims = [...front.slice(0, place), extent, ...back];
  return b.reshape(b.transpose(turned, [0, 2, 1]), dims);
}

export const gatherND: MoveRule = (b, { node, row, layout }) => {
  const zeros = b.zeros(sizes(keptAtoms(layout)));
  const index = node.inputs[1]!;
  const picked = b.shape(index).slice(0, -1);
  const rest = sizes(keptAtoms(row.layout.slice(picked.length)));
  const moved = mapRow(row, layout, (part) =>
    b.emit("ScatterND", [zeros, index, b.reshape(part, [...picked, ...rest])]),
  );
  return { row: moved, note: "tokens picked by index" };
};

export const slice: MoveRule = (b, move) => {
  const { node, index } = move;
  const ranges = sliceRanges(node, node.inputs[index]!.shape!);
  if (!ranges) refuseTokens(node, "tokens are sliced at bounds that only the data decide");
  const turned = [...ranges].filter(([, r]) => r.step !== 1).map(([axis]) => axis);
  const axes = [...new Set([...changedAxes(move), ...turned])];
  const moved = alongAxis(
    (builder, _, joined, at, axis) => {
      const r = ranges.get(axis)!;
      if (r.step < 0) refuseTokens(node, "tokens are reversed", node.inputs[index]!.shape);
      return unslice(builder, joined, at, r, node.inputs[index]!.shape![axis]!, node);
    },
    () => axes,
  )(b, move);
  const [axis] = axes;
  const r = axis === undefined ? undefined : ranges.get(axis);
  return { ...moved, ...(r && move.reading && { note: `tokens from ${r.start}` }) };
};

export const split: MoveRule = (b, move) => {
  const { node, value } = move;
  const axis = normalizeAxis(int(node, "axis", 0), value.rank!);
  const at = node.outputs.indexOf(value);
  const before = node.outputs.slice(0, at).reduce<D.Dim>((n, v) => D.add(n, v.shape![axis]!), 0);
  const extent = node.inputs[0]!.shape![axis]!;
  const after = D.subtract(extent, D.add(before, value.shape![axis]!));
  return alongAxis(
    (builder, _, joined, place) => builder.pad(joined, place, before, after),
    () => [axis],
  )(b, move);
};

/** One operand of a Concat along tokens: its own stretch of the row. */
export const concat: MoveRule = (b, move) => {
  const { node, index } = move;
  const axis = normalizeAxis(int(node, "axis", 0), node.inputs[index]!.rank!);
  const start = node.inputs.slice(0, index).reduce<D.Dim>((n, v) => D.add(n, v!.shape![axis]!), 0);
  const last = index === node.inputs.length - 1;
  const end = last ? Number.MAX_SAFE_INTEGER : D.add(start, node.inputs[index]!.shape![axis]!);
  return alongAxis(
    (builder, _, joined, at) => sliceDims(builder, joined, at, start, end),
    () => [axis],
  )(b, move);
};

/** Padding is dropped; what fell to copies of tokens goes to the tokens that were copied. */
export const pad: MoveRule = (b, move) =>
  alongAxis((builder, { node, index }, joined, at, axis) => {
    const shape = node.inputs[index]!.shape!;
    if (text(node, "mode", "constant") !== "constant") return foldPadding(builder, joined, axis, node, shape, at);
    const pads = padsOf(node, shape.length);
    if (!pads) refuseTokens(node, "tokens are padded by an amount that only the data decide");
    return sliceDims(builder, joined, at, pads.before[axis]!, D.add(pads.before[axis]!, shape[axis]!));
  }, changedAxes)(b, move);
