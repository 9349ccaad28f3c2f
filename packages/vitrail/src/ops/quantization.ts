/**
 * Quantised tensors. The deployed integers run as they are; for gradients and relevance a quantised value counts as the real
 * one that was rounded (straight-through, Bengio et al. 2013: d round(x)/dx = 1), and weights count as what they dequantise to.
 */
import { fail } from "../errors.js";
import { int } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import { type ElementType, elementTypeOf, isFloat } from "../tensor/element-type.js";
import { normalizeAxis } from "../tensor/shape.js";
import { type Builder, range } from "./builder.js";
import { markEmbedding } from "./embedding.js";
import { input, like } from "./infer.js";
import { defineOp, type InferContext, type Inferred, type Operator } from "./operator.js";

/**
 * (x, value, scale): has the value of its second input and the derivative 1 / scale with respect to the first. It is never
 * emitted: what stands for it is the value itself.
 */
export const QuantizeStraightThrough = defineOp("QuantizeStraightThrough", {
  role: "elementwise",
  infer: like(1),
  gradient: ({ x: [, , scale], dy, b }) => [scale ? b.div(dy, scale) : dy],
  canonical: ({ node }) =>
    fail("E020", node.operator, { at: place(node), why: "it is no operator of files, only of the compiler" }),
});

export function straightThrough(b: Builder, x: Value, value: Value, scale?: Value): Value {
  const seen = b.emit("QuantizeStraightThrough", [x, value, ...(scale ? [scale] : [])]);
  seen.writtenAs = value;
  return seen;
}

/** Where the integers of a value come from: the real values that were rounded, and what they were divided by. */
export interface Rounded {
  readonly x: Value;
  readonly scale: Value;
}

/** Operators that round: how to see their real-valued result. Product operators add themselves (integer-product.ts). */
export const rounders = new Map<string, (b: Builder, node: Node) => Rounded | undefined>([
  ["DynamicQuantizeLinear", (_, node) => ({ x: node.inputs[0]!, scale: node.outputs[1]! })],
  ["QuantizeLinear", perAxisRounded],
  ["com.microsoft::QuantizeLinear", perAxisRounded],
]);

function perAxisRounded(b: Builder, node: Node): Rounded {
  const [x, scale] = node.inputs;
  return { x: x!, scale: b.rank(scale!) === 0 ? scale! : alongAxis(b, scale!, b.rank(x!), int(node, "axis", 1)) };
}

/** A vector laid along one axis of a tensor of the given rank. */
export function alongAxis(b: Builder, v: Value, rank: number, axis: number): Value {
  if (b.rank(v) === 0) return v;
  const at = normalizeAxis(axis, rank);
  return b.unsqueeze(
    b.reshape(v, [b.shape(v)[0]!]),
    range(rank).filter((i) => i !== at),
  );
}

const MOVEMENTS = new Set([
  "Reshape",
  "Transpose",
  "Slice",
  "Split",
  "Gather",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "Expand",
]);

/** Follows integers through movements back to where data was rounded; the real values are moved alike. */
export function roundedFrom(b: Builder, v: Value | undefined): Rounded | undefined {
  const node = v?.producer;
  if (!node || isFloat(v.type) || v.type === "int64") return undefined;
  if (MOVEMENTS.has(node.operator)) return movedFrom(b, v, node);
  const found = v === node.outputs[0] ? rounders.get(node.operator)?.(b, node) : undefined;
  return found?.x.data ? found : undefined;
}

function movedFrom(b: Builder, v: Value, node: Node): Rounded | undefined {
  const inner = roundedFrom(b, node.inputs[0]);
  if (!inner) return undefined;
  if (b.shape(inner.scale).some((d) => d !== 1))
    fail("E025", node.operator, { at: place(node), why: "it moves integers that have a scale for each channel" });
  const inputs = [inner.x, ...node.inputs.slice(1)];
  const moved = b.emitAll(node.operator, inputs, node.attributes, node.outputs.length);
  return { ...inner, x: moved[node.outputs.indexOf(v)]! };
}

/** Marks an embedding that is dequantised after its rows were picked. */
export function markPicked(y: Value, integers: Value): Value {
  for (let at: Value | undefined = integers; at?.producer; [at] = at.producer.inputs) {
    const node: Node = at.producer;
    if (node.operator === "Gather" && node.inputs[1]?.dependent)
      return markEmbedding(y, node.inputs[0], node.inputs[1], int(node, "axis", 0));
    if (!MOVEMENTS.has(node.operator)) return y;
  }
  return y;
}

const quantizedType = (c: InferContext): ElementType =>
  elementTypeOf(int(c.node as Node, "output_dtype", 0)) ?? c.node.inputs[2]?.type ?? "uint8";

/** q = saturate(round(x / scale) + zero): integers carry no data; what does is seen where they become real again. */
const quantizeLinear = (name: string) =>
  defineOp(name, {
    role: "opaque",
    infer: (c): Inferred => ({ type: quantizedType(c), shape: input(c, 0).shape }),
  });
export const QuantizeLinear = quantizeLinear("QuantizeLinear");
export const MicrosoftQuantizeLinear = quantizeLinear("com.microsoft::QuantizeLinear");

/** With scale = (max(x, 0) - min(x, 0)) / 255 over the whole tensor; the scale counts as a constant. */
export const DynamicQuantizeLinear = defineOp("DynamicQuantizeLinear", {
  role: "opaque",
  infer: (c): readonly Inferred[] => [
    { type: "uint8", shape: input(c, 0).shape },
    { type: "float32", shape: [] },
    { type: "uint8", shape: [] },
  ],
});

/** y = (q - zero) scale: of rounded data the data itself, of picked rows an embedding, of weights a constant. */
const dequantizeLinear = (name: string): Operator =>
  defineOp(name, {
    role: "opaque",
    infer: (c): Inferred => ({
      type: elementTypeOf(int(c.node as Node, "output_dtype", 0)) ?? input(c, 1).type,
      shape: input(c, 0).shape,
    }),
    canonical: ({ node, inputs, b }) => {
      const y = b.emit(name, inputs, node.attributes);
      const rounded = roundedFrom(b, inputs[0]);
      return [rounded ? straightThrough(b, rounded.x, y) : markPicked(y, inputs[0]!)];
    },
  });
export const DequantizeLinear = dequantizeLinear("DequantizeLinear");
export const MicrosoftDequantizeLinear = dequantizeLinear("com.microsoft::DequantizeLinear");
