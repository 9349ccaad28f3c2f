/** How a row passes single operators: rearranged, scattered back, spread over what was averaged, or unchanged. */
import { int, type Node, numbersOf, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { oneHot } from "../ops/indexing.js";
import { padsOf, sliceDims, sliceRanges, unslice } from "../ops/part.js";
import { reciprocalOf, reducedAxes } from "../ops/reduction.js";
import { pullAxis } from "../ops/resize.js";
import * as D from "../tensor/dim.js";
import { normalizeAxis } from "../tensor/shape.js";
import { type Atom, keptAtoms, type Layout, refuseTokens } from "./layout.js";
import { mapRow, type Row, relayout, rowAxes, sizes, withJoinedAxis } from "./row.js";

export interface Move {
  readonly node: Node;
  /** Which input the row goes to. */
  readonly index: number;
  /** The output it comes from. */
  readonly value: Value;
  readonly row: Row;
  /** Layout of that input. */
  readonly layout: Layout;
  /** Above the last block: what happens here decides which tokens are read. */
  readonly reading: boolean;
}

export interface Moved {
  readonly row: Row;
  readonly note?: string;
  /** The row no longer sums to one. */
  readonly weighted?: boolean;
}

type MoveRule = (b: Builder, move: Move) => Moved;

const unchanged: MoveRule = (b, { row, layout }) => ({ row: relayout(b, row, layout) });

/** Token axes that an operator summed over: each token gets an equal part. */
const spread: MoveRule = (b, { node, index, row, layout }) => {
  const shape = node.inputs[index]!.shape!;
  const axes =
    node.operator === "GlobalAveragePool" ? shape.map((_, i) => i).slice(2) : (reducedAxes(node, shape.length) ?? []);
  const before = keptAtoms(row.layout);
  const after = keptAtoms(layout);
  const added = axes.flatMap((a) => layout[a]!.filter((atom) => atom.kind !== "channel"));
  const count = D.product(sizes(added));
  const dims = sizes(after);
  const row2 = mapRow(row, layout, (part) => {
    const shared = b.mul(part, reciprocalOf(b, count));
    const places = after.flatMap((a, i) => (before.includes(a) ? [] : [i]));
    return b.expand(b.unsqueeze(shared, places), dims);
  });
  return { row: row2, note: "a mean over tokens", ...(node.operator === "ReduceSum" && { weighted: true }) };
};

/** The largest of all tokens, channel by channel: each token gets the share of the channels that it won (ties share). */
const picked: MoveRule = (b, { node, index, row, layout }) => {
  const x = b.asReal(node.inputs[index]!);
  const axes = reducedAxes(node, x.rank!) ?? [];
  const winner = b.emit(node.operator, [x], { axes, keepdims: 1 });
  const wins = b.where(b.emit("Equal", [x, winner]), b.scalar(1), b.scalar(0));
  const each = b.div(wins, b.reduceSum(wins, axes));
  const channels = layout.flatMap((axis, i) => (axis.length > 0 && axis.every((a) => a.kind === "channel") ? [i] : []));
  const shares = b.reshape(b.reduceMean(each, channels), sizes(keptAtoms(layout)));
  const before = keptAtoms(row.layout);
  const places = keptAtoms(layout).flatMap((a, i) => (before.includes(a) ? [] : [i]));
  return {
    row: mapRow(row, layout, (part) => b.mul(b.unsqueeze(part, places), shares)),
    note: `a ${node.operator === "ReduceMax" ? "maximum" : "minimum"} over tokens`,
  };
};

/** A gather that picks everything once, channels included, is a view (PyTorch's as_strided). */
const isView = (picked: readonly Atom[], axis: readonly Atom[]): boolean =>
  picked.length === axis.length && picked.every((a, i) => a === axis[i]);

const gather: MoveRule = (b, { node, index, row, layout }) => {
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

const gatherND: MoveRule = (b, { node, row, layout }) => {
  const zeros = b.zeros(sizes(keptAtoms(layout)));
  const index = node.inputs[1]!;
  const picked = b.shape(index).slice(0, -1);
  const rest = sizes(keptAtoms(row.layout.slice(picked.length)));
  const moved = mapRow(row, layout, (part) =>
    b.emit("ScatterND", [zeros, index, b.reshape(part, [...picked, ...rest])]),
  );
  return { row: moved, note: "tokens picked by index" };
};

/** The operator's own gradient, applied to the row along one joined axis. */
const alongAxis =
  (
    pull: (b: Builder, move: Move, joined: Value, at: number, axis: number) => Value,
    axes: (m: Move) => readonly number[],
  ): MoveRule =>
  (b, move) => {
    let { row } = move;
    for (const axis of axes(move)) {
      const target = row.layout.map((own, i) => (i === axis ? move.layout[axis]! : own));
      if (rowAxes(row.layout, axis).length === 0 && keptAtoms([move.layout[axis]!]).length === 0) {
        row = { ...row, layout: target };
        continue;
      }
      const from = row.layout;
      const dims = sizes(keptAtoms(target));
      row = mapRow(row, target, (part) =>
        b.reshape(
          withJoinedAxis(b, part, from, axis, (joined, at) => pull(b, move, joined, at, axis)),
          dims,
        ),
      );
    }
    return { row: { ...row, layout: move.layout } };
  };

const changedAxes = ({ node, index, value }: Move): number[] => {
  const input = node.inputs[index]!.shape!;
  return input.flatMap((d, i) => (D.equal(d, value.shape![i]!) ? [] : [i]));
};

const slice: MoveRule = (b, move) => {
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

const split: MoveRule = (b, move) => {
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
const concat: MoveRule = (b, move) => {
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

/** Padding is dropped. */
const pad: MoveRule = (b, move) =>
  alongAxis((builder, { node, index }, joined, at, axis) => {
    const shape = node.inputs[index]!.shape!;
    const pads = padsOf(node, shape.length);
    if (!pads) refuseTokens(node, "tokens are padded by an amount that only the data decide");
    return sliceDims(builder, joined, at, pads.before[axis]!, D.add(pads.before[axis]!, shape[axis]!));
  }, changedAxes)(b, move);

/** A strided convolution merges cells of stride x stride tokens: equal parts to each, also where its kernel overlaps. */
const convolution: MoveRule = (b, move) =>
  alongAxis(
    (builder, { node, index }, joined, at, axis) => {
      const { strides, blocksize = 1 } = node.attributes as { strides?: readonly number[]; blocksize?: number };
      const step = strides?.[axis - 2] ?? blocksize;
      const shape = builder.shape(joined);
      const wide = builder.expand(builder.unsqueeze(builder.mul(joined, 1 / step), [at + 1]), [
        ...shape.slice(0, at + 1),
        step,
        ...shape.slice(at + 1),
      ]);
      const merged = builder.reshape(
        wide,
        shape.map((d, i) => (i === at ? D.multiply(d, step) : d)),
      );
      const extent = node.inputs[index]!.shape![axis]!;
      const missing = D.subtract(extent, D.multiply(shape[at]!, step));
      if (typeof missing === "number") return builder.pad(merged, at, 0, missing);
      return sliceDims(builder, builder.pad(merged, at, 0, D.maximum(missing, 0)), at, 0, extent);
    },
    (m) => changedAxes(m).filter((axis) => axis >= 2),
  )(b, move);

/**
 * Upsampling by a whole factor: a cell has what its pixels had. Between any other sizes, each new cell is a weighted mean of old
 * ones and gives its weight to them.
 */
const resizing: MoveRule = (b, move) =>
  alongAxis(
    (builder, { node, index, value }, joined, at, axis) => {
      const [cells, pixels] = [node.inputs[index]!.shape![axis]!, value.shape![axis]!];
      const factor = D.divideExactly(pixels, cells);
      if (typeof factor !== "number" && node.operator === "Resize")
        return pullAxis(builder, node, joined, at, cells, pixels);
      if (typeof factor !== "number")
        refuseTokens(node, `${cells} cells become ${pixels} pixels`, node.inputs[index]!.shape);
      const shape = builder.shape(joined);
      const apart = builder.reshape(joined, [...shape.slice(0, at), cells, factor, ...shape.slice(at + 1)]);
      return builder.reduceSum(apart, [at + 1], false);
    },
    (m) => changedAxes(m).filter((axis) => axis >= 2),
  )(b, move);

/** Times a constant that differs between tokens: above the last block that is a mask of what is averaged. */
const multiply: MoveRule = (b, move) => {
  const { node, index, row, layout } = move;
  const factor = node.inputs[1 - index];
  const rank = node.outputs[0]!.rank!;
  const shape = factor?.shape ?? [];
  const masksTokens = shape.some((d, i) => {
    const axis = i + rank - shape.length;
    return d !== 1 && row.layout[axis]!.some((a) => a.kind === "token");
  });
  if (!move.reading || !factor || !masksTokens || node.operator !== "Mul") return unchanged(b, move);
  const channels = row.layout.flatMap((axis, i) => (axis.every((a) => a.kind === "channel") ? [i] : []));
  const real = b.asReal(factor);
  const full = shape.length < rank ? b.reshape(real, [...new Array(rank - shape.length).fill(1), ...shape]) : real;
  const mean = b.reduceMean(
    full,
    channels.filter((axis) => b.shape(full)[axis] !== 1),
  );
  const perToken = b.squeeze(mean, channels);
  return {
    row: mapRow(relayout(b, row, layout), layout, (part) => b.mul(part, perToken)),
    note: "weighted by a mask",
    weighted: true,
  };
};

/** A product: tokens stay, channels are mixed. Where two towers meet, the other tower's items become samples, each read once. */
const linear: MoveRule = (b, { row, layout }) => {
  const before = keptAtoms(row.layout);
  const after = keptAtoms(layout);
  if (after.every((a) => before.includes(a))) return unchangedOrSummed(b, row, layout);
  return { row: { layout, v: b.expand(b.scalar(1), sizes(after)), added: undefined } };
};

/** Token atoms that end in a contracted axis are summed. */
function unchangedOrSummed(b: Builder, row: Row, layout: Layout): Moved {
  const kept = keptAtoms(layout);
  const lost = keptAtoms(row.layout).flatMap((a, i) => (kept.includes(a) ? [] : [i]));
  return { row: mapRow(row, layout, (part) => b.reduceSum(part, lost, false)) };
}

const RULES: Record<string, MoveRule> = {
  ReduceMean: spread,
  ReduceSum: spread,
  ReduceMax: picked,
  ReduceMin: picked,
  GlobalAveragePool: spread,
  Gather: gather,
  GatherND: gatherND,
  Slice: slice,
  Split: split,
  Concat: concat,
  Pad: pad,
  Conv: convolution,
  SpaceToDepth: convolution,
  ConvTranspose: resizing,
  DepthToSpace: resizing,
  Resize: resizing,
  Mul: multiply,
  MatMul: linear,
  Einsum: linear,
};

export function moveRow(b: Builder, move: Move): Moved {
  return (RULES[move.node.operator] ?? unchanged)(b, move);
}
