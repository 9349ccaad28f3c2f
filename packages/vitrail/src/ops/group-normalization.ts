/**
 * Norms over the spatial axes of [batch, channels, ...]: y = γ x̂ + β with x̂ = (x - mean) / √(var + ε) over one channel of one sample
 * (instance) or over a group of channels (Wu & He 2018), and the response of a channel against its neighbours' (Krizhevsky 2012).
 */
import { float, required } from "../ir/attribute.js";
import type { Node, Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { type Builder, range } from "./builder.js";
import { like } from "./infer.js";
import { defineOp, type GradientContext, refuseGradient } from "./operator.js";
import { sliceDims } from "./part.js";

/** Groups of channels as one axis, [batch, groups, all that is normalised together]; γ dy likewise. */
function grouped({ node, x: [x, scale], dy, b, wants }: GradientContext, groups: D.Dim) {
  if (wants.slice(1).some(Boolean)) refuseGradient(node, "its scale depends on the input");
  const shape = b.shape(x!);
  const all = [shape[0]!, groups, D.product([D.floorDivide(shape[1]!, groups), ...shape.slice(2)])];
  const perChannel = D.equal(b.shape(scale!)[0]!, shape[1]!);
  const scaled = perChannel
    ? b.mul(
        dy,
        b.unsqueeze(
          scale!,
          range(shape.length - 2).map((i) => i + 1),
        ),
      )
    : dy;
  const g = b.reshape(scaled, all);
  const values = b.reshape(x!, all);
  const centred = b.sub(values, b.reduceMean(values, [2]));
  const variance = b.reduceMean(b.square(centred), [2]);
  const inverse = b.div(1, b.sqrt(b.add(variance, float(node, "epsilon", 1e-5))));
  return {
    centred,
    inverse,
    g: perChannel ? g : b.mul(g, b.unsqueeze(scale!, [1])),
    back: (v: Value) => b.reshapeLike(v, x!),
  };
}

const less = (b: Builder, v: Value): Value => b.sub(v, b.reduceMean(v, [2]));

/** dx = (c - x̂ mean(c x̂)) / √(var + ε), c = γ dy - mean(γ dy) */
const groupNorm = (name: string, groups: (node: Node, channels: D.Dim) => D.Dim) =>
  defineOp(name, {
    role: "normalization",
    infer: like(),
    gradient: (c) => {
      const { centred, inverse, g, back } = grouped(c, groups(c.node, c.b.shape(c.x[0]!)[1]!));
      const normal = c.b.mul(centred, inverse);
      const middle = less(c.b, g);
      return [back(c.b.mul(inverse, c.b.sub(middle, c.b.mul(normal, c.b.reduceMean(c.b.mul(middle, normal), [2])))))];
    },
    constantDeviation: (c) => {
      const { inverse, g, back } = grouped(c, groups(c.node, c.b.shape(c.x[0]!)[1]!));
      return [back(less(c.b, c.b.mul(g, inverse)))];
    },
  });
export const InstanceNormalization = groupNorm("InstanceNormalization", (_, channels) => channels);
/** γ is per group in opset 18, per channel from 21 on. */
export const GroupNormalization = groupNorm("GroupNormalization", (node) => required(node, "num_groups", "int"));

/** y = x / s^β with s = bias + α / n Σ x² over n channels around; dx = dy / s^β - 2 α β / n x Σ (dy y / s) over those around it. */
export const LRN = defineOp("LRN", {
  role: "normalization",
  infer: like(),
  gradient: (c) => {
    const {
      node,
      x: [x],
      y: [y],
      dy,
      b,
    } = c;
    const { sum, power, factor, before, after } = response(c);
    const beta = float(node, "beta", 0.75);
    const around = neighbours(b, b.div(b.mul(dy, y!), sum), after, before);
    return [b.sub(b.div(dy, power), b.mul(b.mul(x!, around), 2 * beta * factor))];
  },
  constantDeviation: (c) => [c.b.div(c.dy, response(c).power)],
});

function response({ node, x: [x], b }: GradientContext) {
  const size = required(node, "size", "int");
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const factor = float(node, "alpha", 1e-4) / size;
  const sum = b.add(b.mul(neighbours(b, b.square(x!), before, after), factor), float(node, "bias", 1));
  return { sum, factor, before, after, power: b.emit("Pow", [sum, b.scalar(float(node, "beta", 0.75))]) };
}

/** Sums over the channels from `before` in front of each to `after` behind it. */
function neighbours(b: Builder, v: Value, before: number, after: number): Value {
  const channels = b.shape(v)[1]!;
  const padded = b.pad(v, 1, before, after);
  return b.sum(range(before + after + 1).map((k) => sliceDims(b, padded, 1, k, D.add(channels, k))));
}
