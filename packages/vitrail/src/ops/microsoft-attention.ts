/** onnxruntime's attention operators, down to the steps of every other spelling (conventions 4.5). */
import { fail } from "../errors.js";
import { float, int, ints } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";
import { attention, causalKeep, mergeHeads, refuse, splitHeads } from "./attention.js";
import { type Builder, range } from "./builder.js";
import { counting } from "./indexing.js";
import { input } from "./infer.js";
import { matmulInteger } from "./integer-product.js";
import { inReal } from "./microsoft.js";
import { defineOp, type InferContext, type Inferred } from "./operator.js";

const LOWEST = -3.4028234663852886e38;

interface Parts {
  /** [batch, tokens, heads * width] each, or [batch, heads, tokens, width]. */
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly mask: Value | undefined;
  readonly bias: Value | undefined;
}

/** softmax(q kᵀ scale + bias + mask) v; masked keys have mask_filter_value added, keys after the query the lowest number. */
function attend(b: Builder, node: Node, { q, k, v, mask, bias }: Parts): Value {
  const heads = int(node, "num_heads", 1);
  const [q4, k4, v4] = [q, k, v].map((x) => (b.rank(x) === 3 ? splitHeads(b, x, heads) : x)) as [Value, Value, Value];
  const [queries, keys, width] = [b.shape(q4)[2]!, b.shape(k4)[2]!, b.shape(q4)[3]!];
  refuse(node, typeof width !== "number", "the width of a head is not known");
  const scale = float(node, "scale") || 1 / Math.sqrt(width as number);
  const where = (keep: Value, otherwise: number) => b.where(keep, b.scalar(0), b.scalar(otherwise));
  const hidden = mask && where(keptKeys(b, node, mask, b.shape(q4)[0]!, keys), maskValue(node));
  const future = int(node, "unidirectional", 0) ? where(causalKeep(b, queries, keys), LOWEST) : undefined;
  const biases = [bias, hidden, future].filter((x) => x !== undefined);
  return mergeHeads(b, attention(b, { q: q4, k: k4, v: v4, scale, biases }));
}

const maskValue = (node: Node): number => float(node, "mask_filter_value", -10000);

/** Which keys may be looked at, from lengths [B], a key mask [B, keys] or a mask [B, queries, keys]. */
function keptKeys(b: Builder, node: Node, mask: Value, batch: D.Dim, keys: D.Dim): Value {
  const shape = b.shape(mask);
  if (shape.length === 1 && (D.equal(shape[0]!, batch) || shape[0] === 1)) {
    const lengths = b.unsqueeze(b.cast(mask, "int64"), [1, 2, 3]);
    return b.emit("Less", [counting(b, keys), lengths]);
  }
  if (shape.length === 1 || shape.length > 3)
    fail("E025", node.operator, {
      at: place(node),
      why: `its mask has the shape [${shape.join(", ")}]: neither lengths nor a mask of keys`,
      try: "fuse with a mask of shape [batch, tokens], or leave the attention unfused",
    });
  return b.unsqueeze(b.emit("Greater", [b.cast(mask, "int64"), b.ints([0])]), shape.length === 2 ? [1, 2] : [1]);
}

/** q, k and v of one projection with packed weights. */
function projected(b: Builder, node: Node, y: Value): [Value, Value, Value] {
  const width = b.shape(y)[2]!;
  refuse(node, typeof width !== "number", "the width of its weights is not known");
  const third = (width as number) / 3;
  const split = ints(node, "qkv_hidden_sizes") ?? [third, third, third];
  return b.emitAll("Split", [y], { axis: 2, split }, 3) as [Value, Value, Value];
}

const refusePast = (node: Node, past: readonly (Value | undefined)[]) =>
  refuse(
    node,
    past.some((v) => v !== undefined),
    "it keeps a cache of keys and values",
  );

/** One output that is inferred; the others (keys and values for a cache) are not. */
const first = (c: InferContext, one: Inferred): readonly Inferred[] =>
  range(Math.max(1, c.outputs)).map((i) => (i === 0 ? one : { type: one.type, shape: undefined }));

const packedShape = (c: InferContext): Inferred => {
  const [x, w] = [input(c, 0), input(c, 1)];
  const sizes = ints(c.node, "qkv_hidden_sizes");
  const width = sizes?.[2] ?? (w.shape && D.floorDivide(w.shape[1]!, 3));
  return { type: x.type, shape: x.shape && width !== undefined ? [...x.shape.slice(0, 2), width] : undefined };
};

/** Inputs: x [B, N, D], packed weights [D, q + k + v], their bias, mask, cache, bias of the scores. */
export const Attention = defineOp("com.microsoft::Attention", {
  role: "opaque",
  infer: (c) => first(c, packedShape(c)),
  canonical: ({ node, inputs, b }) => {
    refusePast(node, [inputs[4], inputs[6]]);
    refuse(node, int(node, "do_rotary", 0) === 1, "rotary positions inside the operator are not covered");
    return inReal(b, inputs, ([x, w, offset, mask, , bias]) => {
      const product = b.matmul(x!, w!);
      const [q, k, v] = projected(b, node, offset ? b.emit("Add", [product, offset]) : product);
      return [attend(b, node, { q, k, v, mask, bias })];
    });
  },
});

/** The same with integers: x, weights, bias, their scales, mask, zero points, cache. */
export const QAttention = defineOp("com.microsoft::QAttention", {
  role: "opaque",
  infer: (c) => first(c, { ...packedShape(c), type: input(c, 3).type }),
  canonical: ({ node, inputs, b }) => {
    const [x, w, offset, xScale, wScale, mask, xZero, wZero, past] = inputs;
    refusePast(node, [past]);
    const product = matmulInteger(b, [x, w, xZero, wZero]);
    if (!product) return undefined;
    const scaled = b.mul(product, b.mul(b.asReal(xScale!), b.asReal(wScale!)));
    const [q, k, v] = projected(b, node, b.emit("Add", [scaled, b.asReal(offset!)]));
    return [b.cast(attend(b, node, { q, k, v, mask, bias: undefined }), xScale!.type)];
  },
});

type Three = readonly [q: Value, k: Value, v: Value];

/** The parts of [batch, tokens, heads, count, width] as [batch, tokens, heads * width] each. */
function unpack(b: Builder, x: Value, count: number): Value[] {
  const [batch, tokens, heads, , width] = b.shape(x);
  const parts = b.emitAll("Split", [x], { axis: 3, split: range(count).map(() => 1) }, count);
  return parts.map((part) => b.reshape(part, [batch!, tokens!, D.multiply(heads!, width!)]));
}

function unpacked(b: Builder, query: Value, key: Value | undefined, value: Value | undefined): Three {
  if (!key) return unpack(b, query, 3) as unknown as Three;
  return value ? [query, key, value] : ([query, ...unpack(b, key, 2)] as unknown as Three);
}

/** One vector holds the bias of all three. */
function withBias(b: Builder, node: Node, parts: Three, bias: Value | undefined): Three {
  if (!bias) return parts;
  const split = parts.map((x) => b.shape(x)[2]!);
  if (parts.some((x) => b.rank(x) !== 3) || split.some((d) => typeof d !== "number"))
    fail("E025", node.operator, { at: place(node), why: "its bias does not fit keys and values of known width" });
  const biases = b.emitAll("Split", [bias], { axis: 0, split: split as number[] }, 3);
  return parts.map((x, i) => b.emit("Add", [x, biases[i]])) as unknown as Three;
}

const queryShape = (q: Shape | undefined): Shape | undefined =>
  q?.length === 5 ? [q[0]!, q[1]!, D.multiply(q[2]!, q[4]!)] : q;

/** q, k and v come projected: apart, with k and v packed [B, N, heads, 2, width], or all packed [B, N, heads, 3, width]. */
export const MultiHeadAttention = defineOp("com.microsoft::MultiHeadAttention", {
  role: "opaque",
  infer: (c) => {
    const [q, , v] = c.node.inputs;
    const shape = queryShape(q?.shape);
    const width = v?.shape?.length === 3 ? v.shape[2] : shape?.[2];
    return first(c, {
      type: input(c, 0).type,
      shape: shape && width !== undefined ? [...shape.slice(0, 2), width] : shape,
    });
  },
  canonical: ({ node, inputs, b }) => {
    refusePast(node, inputs.slice(6));
    return inReal(b, inputs, ([query, key, value, bias, mask, scores]) => {
      const [q, k, v] = withBias(b, node, unpacked(b, query!, key, value), bias);
      return [attend(b, node, { q, k, v, mask, bias: scores })];
    });
  },
});

/** Operators of generation loops: their keys and values live in a cache between the runs. */
const cached = (name: string) =>
  defineOp(`com.microsoft::${name}`, {
    role: "opaque",
    infer: (c) => first(c, { type: input(c, 0).type, shape: input(c, 0).shape }),
    canonical: ({ node }) => {
      refuse(node, true, "it keeps a cache of keys and values");
      return undefined;
    },
  });
export const GroupQueryAttention = cached("GroupQueryAttention");
export const PagedAttention = cached("PagedAttention");
export const SparseAttention = cached("SparseAttention");
export const DecoderAttention = cached("DecoderAttention");
export const DecoderMaskedSelfAttention = cached("DecoderMaskedSelfAttention");
export const DecoderMaskedMultiHeadAttention = cached("DecoderMaskedMultiHeadAttention");
