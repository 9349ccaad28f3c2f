/** Embeddings fused with their norm: the lookups become values again, so that data has a place to begin. */
import { asFloat, float } from "../ir/attribute.js";
import type { Value } from "../ir/graph.js";
import { range } from "./builder.js";
import { markEmbedding } from "./embedding.js";
import { counting } from "./indexing.js";
import { input } from "./infer.js";
import { type CanonicalContext, defineOp, type InferContext, type Inferred } from "./operator.js";

/** A table or a parameter of the norm, and how its numbers become real. */
interface Stored {
  readonly table: Value;
  readonly real: (picked: Value) => Value;
}

/** norm(word[ids] + position[0 ... n] + segment[segment ids]), and how many tokens the mask keeps of each sample. */
function embed(
  { node, b, inputs }: CanonicalContext,
  [word, position, segment, gamma, beta]: readonly (Stored | undefined)[],
  positions: Value | undefined,
): readonly (Value | undefined)[] {
  const [ids, segments] = inputs;
  const mask = inputs[7];
  const lookUp = ({ table, real }: Stored, at: Value): Value =>
    markEmbedding(real(b.emit("Gather", [table, at], { axis: 0 })), table, at);
  const [batch, tokens] = b.shape(ids!);
  const placed = b.emit("Add", [lookUp(word!, ids!), lookUp(position!, positions ?? counting(b, tokens!))]);
  const sum = segment && segments ? b.emit("Add", [placed, lookUp(segment, segments)]) : placed;
  const epsilon = float(node, "epsilon", 1e-12);
  const parameters = [gamma, beta].map((v) => v!.real(v!.table));
  const normal = b.emit("LayerNormalization", [sum, ...parameters], { axis: -1, epsilon: asFloat(epsilon) });
  const lengths = mask
    ? b.emit("ReduceSum", [b.cast(mask, "int32")], { axes: [1], keepdims: 0 })
    : b.cast(b.emit("Expand", [b.ints([0]), b.extents.of(batch!)]), "int32");
  return [normal, lengths, sum];
}

const inferred = (c: InferContext): readonly Inferred[] => {
  const shape = input(c, 0).shape;
  const width = c.node.inputs[2]?.shape?.[1];
  const type = c.node.inputs[5]!.type;
  const embedded = { type, shape: shape && width !== undefined ? [...shape, width] : undefined };
  const lengths: Inferred = { type: "int32", shape: shape && [shape[0]!] };
  return [embedded, lengths, embedded].slice(0, Math.max(1, c.outputs));
};

/** Inputs: ids, segment ids, tables of words, positions and segments, γ, β, mask, position ids. */
export const EmbedLayerNormalization = defineOp("com.microsoft::EmbedLayerNormalization", {
  role: "opaque",
  infer: inferred,
  canonical: (c) => {
    const { b, inputs } = c;
    const stored = inputs.slice(2, 7).map((table) => table && { table, real: (v: Value) => b.asReal(v) });
    const [normal, lengths, sum] = embed(c, stored, inputs[8]);
    const type = inputs[5]!.type;
    return [b.cast(normal!, type), lengths, b.cast(sum!, type)];
  },
});

/** The same with 8-bit tables: their scales follow the mask, then their zero points. */
export const QEmbedLayerNormalization = defineOp("com.microsoft::QEmbedLayerNormalization", {
  role: "opaque",
  infer: (c) => inferred(c).map((v, i) => (i === 1 ? v : { ...v, type: c.node.inputs[8]!.type })),
  canonical: (c) => {
    const { b, inputs } = c;
    const stored = range(5).map((i) => {
      const [table, scale, zero] = [inputs[2 + i], inputs[8 + i], inputs[13 + i]];
      return table && { table, real: (v: Value) => b.emit("DequantizeLinear", [v, scale, zero]) };
    });
    return embed(c, stored, undefined);
  },
});
