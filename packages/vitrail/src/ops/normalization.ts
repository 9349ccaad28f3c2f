import { asFloat, float, int } from "../ir/attribute.js";
import type { Node, Value } from "../ir/graph.js";
import { normalizeAxis } from "../tensor/shape.js";
import { elementCount, tensorOf } from "../tensor/tensor.js";
import { type Builder, range } from "./builder.js";
import { input, like } from "./infer.js";
import { defineOp, type InferContext, type Inferred, refuseGradient } from "./operator.js";

/** Axes from `axis` (default: the last one) to the end. */
const normalizedAxes = (node: Node, rank: number): number[] =>
  range(rank).slice(normalizeAxis(int(node, "axis", -1), rank));

const epsilonOf = (node: Node): number => float(node, "epsilon", 1e-5);

/** y = γ x̂ + β with x̂ = (x - mean) / √(var + ε); dx = (c - x̂ mean(c x̂)) / √(var + ε), c = g - mean(g), g = γ dy */
export const LayerNormalization = defineOp("LayerNormalization", {
  role: "normalization",
  infer: (c) => {
    const x = input(c, 0);
    const axis = normalizeAxis(int(c.node, "axis", -1), x.shape?.length ?? 0);
    const statistics = { type: "float32" as const, shape: x.shape?.map((d, i) => (i < axis ? d : 1)) };
    return [{ type: x.type, shape: x.shape }, statistics, statistics].slice(0, Math.max(1, c.outputs));
  },
  gradient: ({ node, x: [x, gamma], dy, b, wants }) => {
    if (wants.slice(1).some(Boolean)) refuseGradient(node, "its scale depends on the input");
    const axes = normalizedAxes(node, b.rank(x!));
    const { normal, inverse } = standardized(b, x!, axes, epsilonOf(node));
    const g = b.mul(dy, gamma!);
    const centred = b.sub(g, b.reduceMean(g, axes));
    return [b.mul(inverse, b.sub(centred, b.mul(normal, b.reduceMean(b.mul(centred, normal), axes))))];
  },
  constantDeviation: ({ node, x: [x, gamma], dy, b }) => {
    const axes = normalizedAxes(node, b.rank(x!));
    const g = overDeviation(node, b.sub(x!, b.reduceMean(x!, axes)), axes, gamma, dy, b);
    return [b.sub(g, b.reduceMean(g, axes))];
  },
});

/** γ dy / √(mean(c²) + ε) */
function overDeviation(node: Node, c: Value, axes: readonly number[], gamma: Value | undefined, dy: Value, b: Builder) {
  const deviation = b.sqrt(b.add(b.reduceMean(b.square(c), axes), epsilonOf(node)));
  return b.div(gamma ? b.mul(dy, gamma) : dy, deviation);
}

/** x̂ and 1 / √(var + ε): by the operator with a scale of one, which gives both, where the operator set has it. */
function standardized(b: Builder, x: Value, axes: readonly number[], epsilon: number) {
  const dims = axes.map((axis) => b.shape(x)[axis]!);
  if (b.opset >= 17 && b.real === "float32" && dims.every((d) => typeof d === "number")) {
    const size = elementCount(dims);
    const ones = b.constant(tensorOf("float32", new Array<number>(size).fill(1), dims));
    const [normal, , inverse] = b.emitAll(
      "LayerNormalization",
      [x, ones],
      { axis: axes[0]!, epsilon: asFloat(epsilon) },
      3,
    );
    return { normal: normal!, inverse: inverse! };
  }
  const centred = b.sub(x, b.reduceMean(x, axes));
  const inverse = inverseDeviation(b, centred, axes, epsilon);
  return { normal: b.mul(centred, inverse), inverse };
}

/** y = γ x / √(mean(x²) + ε); the operator of opset 23, and com.microsoft's SimplifiedLayerNormalization. */
export const RMSNormalization = defineOp("RMSNormalization", {
  role: "normalization",
  infer: like(),
  gradient: ({ node, x: [x, gamma], dy, b }) => {
    const axes = normalizedAxes(node, b.rank(x!));
    const inverse = inverseDeviation(b, x!, axes, epsilonOf(node));
    const normal = b.mul(x!, inverse);
    const g = gamma ? b.mul(dy, gamma) : dy;
    return [b.mul(inverse, b.sub(g, b.mul(normal, b.reduceMean(b.mul(g, normal), axes))))];
  },
  constantDeviation: ({ node, x: [x, gamma], dy, b }) => [
    overDeviation(node, x!, normalizedAxes(node, b.rank(x!)), gamma, dy, b),
  ],
});

/** 1 / √(mean(c²) + ε) */
const inverseDeviation = (b: Builder, c: Value, axes: readonly number[], epsilon: number): Value =>
  b.div(1, b.sqrt(b.add(b.reduceMean(b.square(c), axes), epsilon)));

/** x / ‖x‖ along one axis, ‖x‖ the root of Σ x² (p = 2) or Σ |x| (p = 1): dx = (dy - d‖x‖/dx Σ dy y) / ‖x‖ */
export const LpNormalization = defineOp("LpNormalization", {
  role: "normalization",
  infer: like(),
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    const { axes, length, isSum } = lengthOf(node, x!, b);
    const along = b.mul(isSum ? b.signOf(x!) : y!, b.reduceSum(b.mul(dy, y!), axes));
    return [b.div(b.sub(dy, along), length)];
  },
  constantDeviation: ({ node, x: [x], dy, b }) => [b.div(dy, lengthOf(node, x!, b).length)],
});

function lengthOf(node: Node, x: Value, b: Builder) {
  const axes = [normalizeAxis(int(node, "axis", -1), b.rank(x))];
  const isSum = int(node, "p", 2) === 1;
  return { axes, isSum, length: isSum ? b.reduceSum(b.abs(x), axes) : b.sqrt(b.reduceSum(b.square(x), axes)) };
}

/** One axis; before opset 13 all axes from the given one on were normalised together. */
const softmaxAxes = (node: Node, x: Value, b: Builder): number[] => {
  const axis = normalizeAxis(int(node, "axis", b.opset >= 13 ? -1 : 1), b.rank(x));
  return b.opset >= 13 ? [axis] : range(b.rank(x)).slice(axis);
};

/** Like the input; an axis that is not there is refused where it is written. */
function alongAxis(c: InferContext): Inferred {
  const { type, shape } = input(c, 0);
  if (shape && shape.length > 0) normalizeAxis(int(c.node, "axis", -1), shape.length);
  return { type, shape };
}

/** ds = y (dy - Σ y dy). With the guarded weights as y, rows without any allowed key give exactly 0. */
export const Softmax = defineOp("Softmax", {
  role: "softmax",
  shares: "softmax",
  infer: alongAxis,
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    const axes = softmaxAxes(node, x!, b);
    const weighted = b.mul(y!, dy);
    return [b.sub(weighted, b.mul(y!, b.reduceSum(weighted, axes)))];
  },
});

/** y = x - log Σ exp x; dx = dy - exp(y) Σ dy */
export const LogSoftmax = defineOp("LogSoftmax", {
  role: "softmax",
  shares: "log-softmax",
  infer: alongAxis,
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    const axes = softmaxAxes(node, x!, b);
    return [b.sub(dy, b.mul(b.exp(y!), b.reduceSum(dy, axes)))];
  },
});

/** At inference: γ (x - mean) / √(var + ε) + β per channel, with constants, so an affine map. */
export const BatchNormalization = defineOp("BatchNormalization", {
  role: "affine",
  infer: (c) => [{ type: input(c, 0).type, shape: input(c, 0).shape }],
  canonical: ({ node, inputs: [x, gamma, beta, mean, variance], b }) => {
    const axes = range(b.rank(x!)).filter((i) => i !== 1);
    const perChannel = (v: Value) => b.unsqueeze(v, axes);
    const deviation = b.emit("Sqrt", [b.emit("Add", [variance, b.cast(b.scalar(epsilonOf(node)), variance!.type)])]);
    const factor = b.emit("Div", [gamma, deviation]);
    const shift = b.emit("Sub", [beta, b.emit("Mul", [mean, factor])]);
    return [b.emit("Add", [b.emit("Mul", [x, perChannel(factor)]), perChannel(shift)])];
  },
});
