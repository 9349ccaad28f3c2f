/** Reductions. Over tokens they are means and sums; inside norms they belong to the unit around them. */
import { fail } from "../errors.js";
import { flag, int, ints } from "../ir/attribute.js";
import { intsOf, type Node, numbersOf, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { normalizeAxis, type Shape } from "../tensor/shape.js";
import { type Builder, range } from "./builder.js";
import { input, vector } from "./infer.js";
import { defineOp, type InferContext, type Inferred, notCovered, type Operator } from "./operator.js";
import { inputSince } from "./parameter.js";

/** Axes as non-negative numbers; all axes where none are given. */
export function reducedAxes(node: Pick<Node, "attributes" | "inputs">, rank: number): readonly number[] | undefined {
  const given = ints(node, "axes") ?? (node.inputs[1] ? numbersOf(node.inputs[1]) : []);
  if (!given) return undefined;
  if (given.length === 0) return flag(node, "noop_with_empty_axes") ? [] : range(rank);
  return given.map((a) => normalizeAxis(a, rank));
}

const reducedShape = (c: InferContext): Shape | undefined => {
  const shape = input(c, 0).shape;
  const axes = shape && reducedAxes(c.node, shape.length);
  if (!shape || !axes) return shape && flag(c.node, "keepdims", true) ? shape.map(() => c.fresh("reduced")) : undefined;
  const keep = flag(c.node, "keepdims", true);
  return shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));
};

/** As `reducedAxes`, but an error where only the data decide. */
function knownAxes(node: Node, rank: number): readonly number[] {
  return (
    reducedAxes(node, rank) ?? fail("E025", node.operator, { at: place(node), why: "its axes are computed from data" })
  );
}

/** Brings a reduced tensor back to the rank of `x`, with extent 1 along the reduced axes. */
function restore(v: Value, node: Node, x: Value, b: Builder): Value {
  if (int(node, "keepdims", 1) === 1) return v;
  const shape = b.shape(x);
  const axes = knownAxes(node, shape.length);
  return b.reshape(
    v,
    shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );
}

type Pull = (c: { x: Value; y: Value; dy: Value; b: Builder; axes: readonly number[]; count: D.Dim }) => Value;

const reduction = (name: string, role: Operator["role"], pull?: Pull, fold?: (entries: readonly D.Dim[]) => D.Dim) =>
  defineOp(name, {
    role,
    ...inputSince("axes", name === "ReduceSum" ? 13 : 18),
    infer: (c): Inferred => {
      const known = fold && intsOf(input(c, 0));
      const shape = reducedShape(c);
      const ints =
        known && known.dims.length <= 1 && known.entries.length > 0 ? vector([fold(known.entries)]) : undefined;
      return {
        type: input(c, 0).type,
        shape,
        ints: ints && shape ? { dims: shape.map(() => 1), entries: ints.entries } : undefined,
      };
    },
    ...(pull && {
      gradient: ({ node, x: [x], y: [y], dy, b }) => {
        const shape = b.shape(x!);
        const axes = knownAxes(node, shape.length);
        const count = D.product(axes.map((a) => shape[a]!));
        const full = pull({ x: x!, y: restore(y!, node, x!, b), dy: restore(dy, node, x!, b), b, axes, count });
        return [b.expand(full, shape)];
      },
    }),
  });

/** 1 / count as a value of the graph's real type. */
export function reciprocalOf(b: Builder, count: D.Dim): Value {
  if (typeof count === "number") return b.scalar(1 / count);
  return b.div(1, b.cast(b.extents.of(count), b.real));
}

export const ReduceSum = reduction(
  "ReduceSum",
  "mean",
  ({ dy }) => dy,
  (e) => e.reduce(D.add, 0),
);
export const ReduceMean = reduction("ReduceMean", "mean", ({ dy, b, count }) => b.mul(dy, reciprocalOf(b, count)));
/** d‖x‖/dx = x / ‖x‖ */
export const ReduceL2 = reduction("ReduceL2", "opaque", ({ x, y, dy, b }) => b.mul(dy, b.div(x, b.add(y, 1e-30))));
export const ReduceSumSquare = reduction("ReduceSumSquare", "opaque", ({ x, dy, b }) => b.mul(dy, b.mul(x, 2)));
/** d‖x‖₁/dx = sign x, so that relevance is shared in proportion to |x|. */
export const ReduceL1 = reduction("ReduceL1", "mean", ({ x, dy, b }) => b.mul(dy, b.signOf(x)));
/** A soft maximum: d/dx log Σ exp x = exp(x - y), and relevance goes where the maximum is, in these parts. */
export const ReduceLogSumExp = reduction("ReduceLogSumExp", "movement", ({ x, y, dy, b }) =>
  b.mul(dy, b.exp(b.sub(x, y))),
);
/** d/dx log Σ x = 1 / Σ x */
export const ReduceLogSum = reduction("ReduceLogSum", "opaque", ({ y, dy, b }) => b.mul(dy, b.exp(b.neg(y))));
export const ReduceProd: Operator = {
  ...reduction("ReduceProd", "opaque", undefined, D.product),
  gradient: notCovered,
};

/** One element is picked; elements that are equal share. Tokens that tie in every channel would otherwise count several times. */
const picked: Pull = ({ x, y, dy, axes, b }) => {
  const those = b.where(b.emit("Equal", [x, y]), b.scalar(1), b.scalar(0));
  return b.mul(those, b.div(dy, b.reduceSum(those, axes)));
};
export const ReduceMax = reduction("ReduceMax", "movement", picked, (entries) => entries.reduce(D.maximum));
export const ReduceMin = reduction("ReduceMin", "movement", picked, (entries) => entries.reduce(D.minimum));

export const GlobalAveragePool = defineOp("GlobalAveragePool", {
  role: "mean",
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape?.map((d, i) => (i < 2 ? d : 1)) }),
  gradient: ({ x: [x], dy, b }) => {
    const shape = b.shape(x!);
    return [b.expand(b.mul(dy, reciprocalOf(b, D.product(shape.slice(2)))), shape)];
  },
});

const arg = (name: string) =>
  defineOp(name, {
    role: "opaque",
    infer: (c): Inferred => {
      const shape = input(c, 0).shape;
      const axis = normalizeAxis(int(c.node, "axis", 0), shape?.length ?? 0);
      const keep = flag(c.node, "keepdims", true);
      return { type: "int64", shape: shape?.flatMap((d, i) => (i === axis ? (keep ? [1] : []) : [d])) };
    },
  });
export const ArgMax = arg("ArgMax");
export const ArgMin = arg("ArgMin");

export const CumSum = defineOp("CumSum", {
  role: "opaque",
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape }),
  gradient: ({ node, x: [, axis], dy, b }) => {
    const attributes = { exclusive: int(node, "exclusive", 0), reverse: 1 - int(node, "reverse", 0) };
    return [b.emit("CumSum", [dy, axis], attributes)];
  },
});
