/** Attention operators, taken apart into the steps that every other spelling shows, so that the weights become a value. */
import { fail } from "../errors.js";
import { float, int } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { isFloat } from "../tensor/element-type.js";
import { timesConstant } from "./arithmetic.js";
import { type Builder, range } from "./builder.js";
import { counting } from "./indexing.js";
import { input } from "./infer.js";
import { defineOp, type Inferred } from "./operator.js";

export interface AttentionParts {
  /** [batch, heads, tokens, width] each. */
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly scale: number;
  /** Added to the scores, in their order of addition. */
  readonly biases: readonly Value[];
  /** False: the key may not be looked at; broadcasts against the scores. */
  readonly keep?: Value | undefined;
}

/** softmax(q kᵀ scale + biases) v; rows without any allowed key have weight 0 everywhere. */
export function attention(b: Builder, { q, k, v, scale, biases, keep }: AttentionParts): Value {
  let scores = timesConstant(b, b.matmul(q, b.transposeLast(k)), scale);
  for (const bias of biases) scores = b.emit("Add", [scores, bias]);
  let weights: Value;
  if (keep) {
    // Finite in every type: a row without any allowed key stays a number.
    const lowest = b.cast(b.scalar(scores.type === "float16" ? -65504 : -3.3e38), scores.type);
    const masked = b.where(keep, scores, lowest);
    const zero = b.cast(b.scalar(0), scores.type);
    weights = b.where(keep, b.emit("Softmax", [masked], { axis: 3 }), zero);
  } else weights = b.emit("Softmax", [scores], { axis: 3 });
  return b.matmul(weights, v);
}

/** [batch, tokens, heads * width] -> [batch, heads, tokens, width] */
export function splitHeads(b: Builder, x: Value, heads: number): Value {
  const [batch, tokens, width] = b.shape(x);
  return b.transpose(b.reshape(x, [batch!, tokens!, heads, D.floorDivide(width!, heads)]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, width] -> [batch, tokens, heads * width] */
export function mergeHeads(b: Builder, x: Value): Value {
  const [batch, heads, tokens, width] = b.shape(x);
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), [batch!, tokens!, D.multiply(heads!, width!)]);
}

/** key <= query + (keys - queries): what a causal mask lets through, [queries, keys]. */
export function causalKeep(b: Builder, queries: D.Dim, keys: D.Dim): Value {
  const rows = b.unsqueeze(counting(b, queries), [1]);
  const shift = D.subtract(keys, queries);
  const last = shift === 0 ? rows : b.emit("Add", [rows, b.extents.of(shift)]);
  return b.emit("LessOrEqual", [counting(b, keys), last]);
}

/** Each key/value head serves `times` query heads. */
export function repeatHeads(b: Builder, x: Value, times: number): Value {
  if (times === 1) return x;
  const [batch, heads, tokens, width] = b.shape(x);
  const wide = b.expand(b.unsqueeze(x, [2]), [batch!, heads!, times, tokens!, width!]);
  return b.reshape(wide, [batch!, D.multiply(heads!, times), tokens!, width!]);
}

/** The operator of opset 23. */
export const Attention = defineOp("Attention", {
  role: "opaque",
  infer: (c): readonly Inferred[] => {
    const [q, v] = [input(c, 0), input(c, 2)];
    const width = v.shape?.[v.shape.length - 1];
    const shape = q.shape && width !== undefined ? [...q.shape.slice(0, -1), width] : undefined;
    return range(Math.max(1, c.outputs)).map((i) => ({ type: q.type, shape: i === 0 ? shape : undefined }));
  },
  canonical: ({ node, inputs: [q, k, v, mask, ...past], b, outputs }) => {
    refuse(node, past.some((p) => p !== undefined) || outputs > 3, "it keeps a cache of keys and values");
    refuse(node, float(node, "softcap", 0) !== 0, "softcap is not covered");
    const flat = b.rank(q!) === 3;
    const [queryHeads, keyHeads] = flat
      ? [int(node, "q_num_heads", 1), int(node, "kv_num_heads", 1)]
      : [b.shape(q!)[1] as number, b.shape(k!)[1] as number];
    const heads = (x: Value, n: number) => (flat ? splitHeads(b, x, n) : x);
    const [q4, k4, v4] = [heads(q!, queryHeads), heads(k!, keyHeads), heads(v!, keyHeads)];
    const width = b.shape(q4)[3];
    refuse(node, typeof width !== "number", "the width of a head is not known");
    const causal = int(node, "is_causal", 0) ? causalKeep(b, b.shape(q4)[2]!, b.shape(k4)[2]!) : undefined;
    const boolean = mask && !isFloat(mask.type) ? mask : undefined;
    const result = attention(b, {
      q: q4,
      k: repeatHeads(b, k4, queryHeads / keyHeads),
      v: repeatHeads(b, v4, queryHeads / keyHeads),
      scale: float(node, "scale") ?? 1 / Math.sqrt(width as number),
      biases: mask && !boolean ? [mask] : [],
      keep: causal && boolean ? b.emit("And", [causal, boolean]) : (causal ?? boolean),
    });
    return [flat ? mergeHeads(b, result) : result];
  },
});

export function refuse(node: Node, when: boolean, why: string): void {
  if (!when) return;
  const cache = why.includes("cache");
  fail(cache ? "E033" : "E025", cache ? "" : node.operator, {
    at: place(node),
    why,
    try: cache
      ? "export the model without a cache (use_cache=False, a task without -with-past)"
      : "export the model without it",
  });
}
