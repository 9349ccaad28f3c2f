/** How a row passes single operators: scattered back (pick.ts), spread over what was averaged or merged, or unchanged. */
import { int, ints } from "../ir/attribute.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { sliceDims } from "../ops/part.js";
import { reciprocalOf, reducedAxes } from "../ops/reduction.js";
import { pullAxis } from "../ops/resize.js";
import * as D from "../tensor/dim.js";
import { keptAtoms, type Layout, refuseTokens } from "./layout.js";
import { alongAxis, changedAxes, type Move, type Moved, type MoveRule, unchanged } from "./move-rule.js";
import { concat, gather, gatherND, pad, slice, split } from "./pick.js";
import { mapRow, type Row, relayout, sizes } from "./row.js";

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

/** What of a reduction each element made up, along the axes: the largest ones, or their parts of a soft maximum or of a length. */
const PARTS: Record<string, (b: Builder, x: Value, y: Value, axes: readonly number[]) => Value> = {
  ReduceMax: largest,
  ReduceMin: largest,
  ReduceLogSumExp: (b, x, y) => b.exp(b.sub(x, y)),
  ReduceL1: (b, x, y) => b.div(b.abs(x), b.add(y, 1e-30)),
  ReduceL2: (b, x, y) => b.div(b.square(x), b.add(b.square(y), 1e-30)),
};

/** Ties share. */
function largest(b: Builder, x: Value, y: Value, axes: readonly number[]): Value {
  const wins = b.where(b.emit("Equal", [x, y]), b.scalar(1), b.scalar(0));
  return b.div(wins, b.reduceSum(wins, axes));
}

/** One number of all tokens, channel by channel: each token gets the share of the channels that it made up. */
const picked: MoveRule = (b, { node, index, row, layout }) => {
  const x = b.asReal(node.inputs[index]!);
  const axes = reducedAxes(node, x.rank!) ?? [];
  const y = b.emit(node.operator, [x], { axes, keepdims: 1 });
  const each = PARTS[node.operator]!(b, x, y, axes);
  const channels = layout.flatMap((axis, i) => (axis.length > 0 && axis.every((a) => a.kind === "channel") ? [i] : []));
  const shares = b.reshape(b.reduceMean(each, channels), sizes(keptAtoms(layout)));
  const before = keptAtoms(row.layout);
  const places = keptAtoms(layout).flatMap((a, i) => (before.includes(a) ? [] : [i]));
  return {
    row: mapRow(row, layout, (part) => b.mul(b.unsqueeze(part, places), shares)),
    note: NOTES[node.operator] ?? "a length over tokens",
  };
};
const NOTES: Record<string, string> = {
  ReduceMax: "a maximum over tokens",
  ReduceMin: "a minimum over tokens",
  ReduceLogSumExp: "a soft maximum over tokens",
};

const pools = (node: Move["node"]): boolean => node.operator === "AveragePool" || node.operator === "MaxPool";

/**
 * A strided convolution or pool merges cells of stride x stride tokens: equal parts to each, also where its kernel overlaps. A pool
 * that leaves one token has merged all of them.
 */
const convolution: MoveRule = (b, move) =>
  alongAxis(
    (builder, { node, index }, joined, at, axis) => {
      const strides = ints(node, "strides");
      const blocksize = int(node, "blocksize", 1);
      const extent = node.inputs[index]!.shape![axis]!;
      const shape = builder.shape(joined);
      const step = pools(node) && shape[at] === 1 ? extent : (strides?.[axis - 2] ?? blocksize);
      const wide = builder.expand(builder.unsqueeze(builder.mul(joined, reciprocalOf(builder, step)), [at + 1]), [
        ...shape.slice(0, at + 1),
        step,
        ...shape.slice(at + 1),
      ]);
      const merged = builder.reshape(
        wide,
        shape.map((d, i) => (i === at ? D.multiply(d, step) : d)),
      );
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
  ...Object.fromEntries(Object.keys(PARTS).map((name) => [name, picked])),
  GlobalAveragePool: spread,
  Gather: gather,
  GatherND: gatherND,
  Slice: slice,
  Split: split,
  Concat: concat,
  Pad: pad,
  Conv: convolution,
  AveragePool: convolution,
  MaxPool: convolution,
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
