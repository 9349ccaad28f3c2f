/** Pools: a mean or the largest of each window. Tokens that lie in one window are merged. */
import { fail } from "../errors.js";
import { required } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";
import { elementCount, tensorOf } from "../tensor/tensor.js";
import { type Builder, range } from "./builder.js";
import { input } from "./infer.js";
import { defineOp, type InferContext, type Inferred } from "./operator.js";
import { sliceDims, unslice } from "./part.js";
import { padsAttribute, spreadBack, type Window, windowCount, windowOf } from "./window.js";

const poolWindow = (node: InferContext["node"] | Node, extents: Shape): Window =>
  windowOf(node, required(node, "kernel_shape", "ints"), extents);

function pooled(c: InferContext): Inferred {
  const x = input(c, 0);
  if (!x.shape) return { type: x.type, shape: undefined };
  const extents = x.shape.slice(2);
  const window = poolWindow(c.node, extents);
  return { type: x.type, shape: [...x.shape.slice(0, 2), ...extents.map((d, i) => windowCount(d, window, i))] };
}

/** y = Σ x / n over each window, n its size or what of it lies inside; dx = Σ dy / n over the windows around x. */
export const AveragePool = defineOp("AveragePool", {
  role: "mean",
  infer: pooled,
  gradient: ({ node, x: [x], dy, b }) => {
    const shape = b.shape(x!);
    const [lead, extents] = [shape.slice(0, 2), shape.slice(2)];
    const window = poolWindow(node, extents);
    const kernel = onesOf(b, [1, 1, ...window.kernel]);
    const each = b.mul(dy, partOf(b, node, window, extents));
    const apart = b.reshape(each, [D.product(lead), 1, ...b.shape(dy).slice(2)]);
    return [b.reshapeLike(spreadBack(b, apart, kernel, window, extents), x!)];
  },
});

const onesOf = (b: Builder, dims: readonly number[]): Value =>
  b.constant(tensorOf(b.real, new Array<number>(elementCount(dims)).fill(1), dims));

/**
 * 1 / n. Where windows reach into the padding or stick out, n differs between them, and how it counts is the runtime's to say: the
 * mean of ones is what lies inside / n.
 */
function partOf(b: Builder, node: Node, w: Window, extents: Shape): Value {
  const isWhole = !w.ceil && [...w.before, ...w.after].every((p) => p === 0);
  if (isWhole) return b.scalar(1 / elementCount(w.kernel));
  const ones = b.expand(b.scalar(1), [1, 1, ...extents]);
  const mean = b.emit("AveragePool", [ones], node.attributes);
  const long = w.ceil ? w.strides.reduce((v, s, i) => b.pad(v, i + 2, 0, s - 1), ones) : ones;
  const { auto_pad: auto } = node.attributes;
  const { strides, dilations } = w;
  const padding = auto ? { auto_pad: auto } : { pads: padsAttribute(w) };
  const inside = b.emit("Conv", [long, onesOf(b, [1, 1, ...w.kernel])], { strides, dilations, ...padding });
  const counts = b.shape(mean);
  const fitted = w.strides.reduce(
    (v, _, i) => (D.equal(b.shape(v)[i + 2]!, counts[i + 2]!) ? v : sliceDims(b, v, i + 2, 0, counts[i + 2]!)),
    inside,
  );
  return b.div(mean, fitted);
}

/** The largest of each window; what arrives there goes to it, in equal parts to several that are equal. */
export const MaxPool = defineOp("MaxPool", {
  role: "movement",
  infer: (c) => {
    const y = pooled(c);
    return [y, { type: "int64" as const, shape: y.shape }].slice(0, Math.max(1, c.outputs));
  },
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    if (node.outputs[1] && b.nodes.some((n) => n.inputs.includes(node.outputs[1]) && n.outputs.some((v) => v.data)))
      fail("E025", node.operator, { at: place(node), node: node.source, why: "where its values lay is used again" });
    // A window's maximum is that of the maxima of its rows: one axis after the other needs fewer comparisons.
    const window = poolWindow(node, b.shape(x!).slice(2));
    const axes = range(window.kernel.length).filter((i) => window.kernel[i]! > 1 || window.strides[i]! > 1);
    const steps: Value[] = [x!];
    for (const i of axes.slice(0, -1)) steps.push(b.emit("MaxPool", [steps.at(-1)!], alongOne(node, window, i)));
    return [axes.reduceRight((back, i, k) => toLargest(b, steps[k]!, steps[k + 1] ?? y!, back, window, i, node), dy)];
  },
});

/** The same pool over one axis alone. */
function alongOne({ attributes }: Node, w: Window, axis: number): Node["attributes"] {
  const n = w.kernel.length;
  const only = (list: readonly number[], otherwise: number) => ({
    kind: "ints" as const,
    value: list.map((v, i) => (i % n === axis ? v : otherwise)),
  });
  const { storage_order: _, ...rest } = attributes;
  return {
    ...rest,
    kernel_shape: only(w.kernel, 1),
    strides: only(w.strides, 1),
    dilations: only(w.dilations, 1),
    ...(!rest.auto_pad && { pads: only(padsAttribute(w), 0) }),
  };
}

/** Below every number that a model computes, and finite: shaders have no infinity. */
const LEAST = -3.4028234663852886e38;

/** From the maxima y of windows along one axis to those elements of x that they are. */
function toLargest(b: Builder, x: Value, y: Value, dy: Value, w: Window, i: number, node: Node): Value {
  const axis = i + 2;
  const [d, count, step, before] = [b.shape(x)[axis]!, b.shape(y)[axis]!, w.strides[i]!, w.before[i]!];
  const starts = range(w.kernel[i]!).map((k) => k * w.dilations[i]!);
  const span = D.multiply(D.add(count, -1), step);
  const lacking = D.subtract(D.add(span, w.reach[i]!), D.add(before, d));
  const after =
    typeof lacking === "number" ? Math.max(0, lacking) : D.add(D.maximum(w.after[i]!, 0), w.ceil ? step - 1 : 0);
  const extent = D.add(D.add(before, d), after);
  const padded = b.pad(x, axis, before, after, LEAST);
  const those = starts.map((start) => {
    const picked = sliceDims(b, padded, axis, start, D.add(span, start + 1), step);
    picked.shape = b.shape(y);
    return b.where(b.emit("Equal", [picked, y]), b.scalar(1), b.scalar(0));
  });
  const share = b.div(dy, b.sum(those));
  const back = b.sum(
    starts.map((start, k) => unslice(b, b.mul(those[k]!, share), axis, { start, length: count, step }, extent, node)),
  );
  return D.equal(extent, d) ? back : sliceDims(b, back, axis, before, D.add(before, d));
}

export const GlobalMaxPool = defineOp("GlobalMaxPool", {
  role: "movement",
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape?.map((d, i) => (i < 2 ? d : 1)) }),
  canonical: ({ inputs: [x], b }) => [b.emit("ReduceMax", [x], { axes: range(b.rank(x!)).slice(2), keepdims: 1 })],
});
