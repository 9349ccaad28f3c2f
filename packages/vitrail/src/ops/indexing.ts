import { int, text } from "../ir/attribute.js";
import { intsOf, numbersOf, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { normalizeAxis, type Shape } from "../tensor/shape.js";
import { type Builder, range } from "./builder.js";
import { entriesOf, input, pickInts } from "./infer.js";
import { defineOp, type Inferred, refuseGradient } from "./operator.js";

export const Gather = defineOp("Gather", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const [x, index] = [input(c, 0), input(c, 1)];
    const axis = normalizeAxis(int(c.node, "axis", 0), x.shape?.length ?? 0);
    const shape = x.shape && index.shape && [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
    return { type: x.type, shape, ints: gatherInts(x, index, axis, shape) };
  },
  gradient: ({ node, x: [x, index], dy, b }) => {
    const axis = normalizeAxis(int(node, "axis", 0), b.rank(x!));
    const extent = b.shape(x!)[axis]!;
    const at = numbersOf(node.inputs[1]);
    if (at?.length === 1) {
      const row = b.rank(index!) === 0 ? b.unsqueeze(dy, [axis]) : dy;
      const before = at[0]! < 0 ? D.add(extent, at[0]!) : at[0]!;
      return [b.pad(row, axis, before, D.subtract(extent, D.add(before, 1)))];
    }
    return [ungather(b, dy, x!, index!, axis)];
  },
});

function gatherInts(table: Value, index: Value, axis: number, shape: Shape | undefined) {
  const at = intsOf(index);
  if (!at?.entries.every((i) => typeof i === "number") || !table.shape) return undefined;
  const extent = table.shape[axis] as number;
  const rows = at.entries as readonly number[];
  return pickInts(table, shape, (position) => {
    const own = position.slice(axis, axis + at.dims.length);
    const row = rows[own.reduce((flat, i, k) => flat * at.dims[k]! + i, 0)]!;
    return [...position.slice(0, axis), row < 0 ? row + extent : row, ...position.slice(axis + at.dims.length)];
  });
}

/** One-hot rows [..., index] -> [..., extent]; negative indices count from the end. */
export function oneHot(b: Builder, index: Value, extent: D.Dim): Value {
  const last = b.emit("Unsqueeze", [b.cast(index, "int64")], { axes: [b.rank(index)] });
  const size = b.extents.of(extent);
  const wrapped = b.emit("Where", [b.emit("Less", [last, b.ints([0])]), b.emit("Add", [last, size]), last]);
  return b.cast(b.emit("Equal", [wrapped, counting(b, extent)]), b.real);
}

/** 0, 1, ... extent - 1 as int64. */
export function counting(b: Builder, extent: D.Dim): Value {
  if (typeof extent === "number") return b.ints(range(extent));
  const [zero, one] = [b.squeeze(b.ints([0]), [0]), b.squeeze(b.ints([1]), [0])];
  const counted = b.emit("Range", [zero, b.squeeze(b.extents.of(extent), [0]), one]);
  counted.shape = [extent];
  return counted;
}

/** Adds each gathered row back to where it came from: one-hot(index)^T dy, which also sums repeated indices. */
function ungather(b: Builder, dy: Value, x: Value, index: Value, axis: number): Value {
  const shape = b.shape(x);
  const indexRank = b.rank(index);
  const rank = b.rank(dy);
  const lead = range(axis);
  const trail = range(rank).slice(axis + indexRank);
  const middle = range(rank).slice(axis, axis + indexRank);
  const picked = D.product(b.shape(index));
  const front = b.transpose(dy, [...middle, ...lead, ...trail]);
  const others = [...shape.slice(0, axis), ...shape.slice(axis + 1)];
  const rows = b.reshape(front, [picked, D.product(others)]);
  const hot = oneHot(b, b.reshape(index, [picked]), shape[axis]!);
  const summed = b.reshape(b.matmul(b.transpose(hot, [1, 0]), rows), [shape[axis]!, ...others]);
  return b.transpose(summed, [...range(axis).map((i) => i + 1), 0, ...range(shape.length).slice(axis + 1)]);
}

export const GatherElements = defineOp("GatherElements", {
  role: "movement",
  verbatim: true,
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 1).shape }),
  gradient: ({ node, x: [x, index], dy, b }) => {
    const axis = normalizeAxis(int(node, "axis", 0), b.rank(x!));
    if (b.opset >= 16) return [b.emit("ScatterElements", [b.zerosLike(x!), index, dy], { axis, reduction: "add" })];
    if (axis !== b.rank(x!) - 1) refuseGradient(node, "below opset 16 it is only covered along the last axis");
    const hot = oneHot(b, index!, b.shape(x!)[axis]!);
    return [b.squeeze(b.matmul(b.unsqueeze(dy, [axis]), hot), [axis])];
  },
});

export const GatherND = defineOp("GatherND", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const [x, index] = [input(c, 0), input(c, 1)];
    const batch = int(c.node, "batch_dims", 0);
    const depth = index.shape?.[index.shape.length - 1];
    const shape =
      x.shape && index.shape && typeof depth === "number"
        ? [...index.shape.slice(0, -1), ...x.shape.slice(batch + depth)]
        : undefined;
    return { type: x.type, shape };
  },
  gradient: ({ node, x: [x, index], dy, b }) => {
    if (int(node, "batch_dims", 0) !== 0) refuseGradient(node, "batch_dims other than 0 is not covered");
    return [b.emit("ScatterND", [b.zerosLike(x!), index, dy], b.opset >= 16 ? { reduction: "add" } : {})];
  },
});

/** Scatters replace elements: the cotangent reaches the data where nothing was written, and the updates where it was. */
export const ScatterND = defineOp("ScatterND", {
  role: "movement",
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape }),
  gradient: ({ node, x: [, index, updates], dy, b, wants }) => {
    if (text(node, "reduction", "none") !== "none")
      refuseGradient(node, `reduction ${text(node, "reduction")} is not covered`);
    return [
      wants[0] ? b.emit("ScatterND", [dy, index, b.zerosLike(updates!)]) : undefined,
      undefined,
      wants[2] ? b.emit("GatherND", [dy, index]) : undefined,
    ];
  },
});

export const ScatterElements = defineOp("ScatterElements", {
  role: "movement",
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape }),
  gradient: ({ node, x: [, index, updates], dy, b, wants }) => {
    if (text(node, "reduction", "none") !== "none")
      refuseGradient(node, `reduction ${text(node, "reduction")} is not covered`);
    const axis = int(node, "axis", 0);
    return [
      wants[0] ? b.emit("ScatterElements", [dy, index, b.zerosLike(updates!)], { axis }) : undefined,
      undefined,
      wants[2] ? b.emit("GatherElements", [dy, index], { axis }) : undefined,
    ];
  },
});

export const OneHot = defineOp("OneHot", {
  role: "opaque",
  infer: (c): Inferred => {
    const index = input(c, 0);
    const depth = entriesOf(c.node.inputs[1])?.[0] ?? c.fresh("depth");
    const rank = (index.shape?.length ?? 0) + 1;
    const axis = normalizeAxis(int(c.node, "axis", -1), rank);
    return {
      type: input(c, 2).type,
      shape: index.shape && [...index.shape.slice(0, axis), depth, ...index.shape.slice(axis)],
    };
  },
});
