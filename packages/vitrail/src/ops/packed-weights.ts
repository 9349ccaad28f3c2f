/**
 * Weights packed into bytes. The patch unpacks the file's own bytes by nodes, which a runtime folds when it loads the model;
 * it never holds a copy. Layouts: onnxruntime, docs/ContribOperators.md.
 */

import { fail } from "../errors.js";
import { flag, int, required } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { isFloat } from "../tensor/element-type.js";
import { tensorOf } from "../tensor/tensor.js";
import { type Builder, range } from "./builder.js";
import { markEmbedding } from "./embedding.js";
import { input } from "./infer.js";
import { defineOp, type InferContext, type Inferred } from "./operator.js";
import { addBias } from "./product.js";

/** The fields of `bits` bits of every byte as reals along the last axis, lowest first: [..., n] -> [..., n · 8 / bits]. */
function unpack(b: Builder, bytes: Value, bits: number, lowestFirst = true): Value {
  const count = 8 / bits;
  const base = 2 ** bits;
  const rank = b.rank(bytes);
  let rest = b.cast(bytes, b.real);
  const fields: Value[] = [];
  for (const i of range(count)) {
    const higher = i < count - 1 ? b.emit("Floor", [b.mul(rest, 1 / base)]) : undefined;
    fields.push(higher ? b.sub(rest, b.mul(higher, base)) : rest);
    if (higher) rest = higher;
  }
  if (count === 1) return rest;
  const ordered = (lowestFirst ? fields : fields.reverse()).map((f) => b.unsqueeze(f, [rank]));
  const shape = b.shape(bytes);
  return b.reshape(b.concat(ordered, rank), [...shape.slice(0, -1), D.multiply(shape[rank - 1]!, count)]);
}

const size = (node: Pick<Node, "attributes">, name: string): number => required(node, name, "int");

const projected = (c: InferContext): Inferred => {
  const { type, shape } = input(c, 0);
  return { type, shape: shape && [...shape.slice(0, -1), size(c.node, "N")] };
};

/** x Wᵀ with W [N, K] in blocks along K: (q - zero) scale, one scale for each block. */
export const MatMulNBits = defineOp("com.microsoft::MatMulNBits", {
  role: "linear",
  infer: projected,
  canonical: ({ node, inputs: [x, packed, scales, zeros, groups, bias], b }) => {
    const bits = size(node, "bits") ?? 4;
    if (groups || ![2, 4, 8].includes(bits))
      fail("E025", node.operator, {
        at: place(node),
        why: groups ? "its weights are grouped by an index (g_idx)" : `weights of ${bits} bits are not covered`,
        try: "quantise the model again with 4 or 8 bits and without act-order",
      });
    const [N, K, length] = [size(node, "N"), size(node, "K"), size(node, "block_size")];
    const blocks = Math.ceil(K / length);
    const perBlock = (v: Value) => b.reshape(v, [N, blocks, 1]);
    const q = unpack(b, b.reshape(packed!, [N, blocks, (length * bits) / 8]), bits);
    const zero = zeros ? perBlock(zeroPoints(b, zeros, bits, N, blocks)) : 2 ** (bits - 1);
    const w = b.reshape(b.mul(b.sub(q, zero), perBlock(b.asReal(scales!))), [N, blocks * length]);
    const cut = blocks * length === K ? w : b.slice(w, 1, 0, K);
    const product = b.matmul(b.asReal(x!), b.transpose(cut, [1, 0]));
    return [b.cast(bias ? addBias(b, product, b.asReal(bias)) : product, x!.type)];
  },
});

/** One for each block: as reals, or packed like the weights with rows padded to whole bytes. */
function zeroPoints(b: Builder, zeros: Value, bits: number, N: number, blocks: number): Value {
  if (isFloat(zeros.type)) return b.asReal(zeros);
  const bytes = Math.ceil((blocks * bits) / 8);
  const unpacked = unpack(b, b.reshape(zeros, [N, bytes]), bits);
  return bytes * (8 / bits) === blocks ? unpacked : b.slice(unpacked, 1, 0, blocks);
}

/** The values that 4 bits stand for in bitsandbytes, times the block's largest magnitude. */
const FP4 = [0, 5.208333333e-3, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25];
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];
const LEVELS = [[...FP4, ...FP4.map((x) => -x)], NF4];

/** x Wᵀ with W [N, K] in blocks that run on over its rows; the higher half of a byte comes first. */
export const MatMulBnb4 = defineOp("com.microsoft::MatMulBnb4", {
  role: "linear",
  infer: projected,
  canonical: ({ node, inputs: [x, packed, largest], b }) => {
    const [N, K, length] = [size(node, "N"), size(node, "K"), size(node, "block_size")];
    const levels = b.cast(b.constant(tensorOf("float32", LEVELS[size(node, "quant_type")]!)), b.real);
    const indices = b.cast(unpack(b, packed!, 4, false), "int32");
    const all = b.emit("Gather", [levels, indices], { axis: 0 });
    const blocks = Math.ceil((N * K) / length);
    const padded = b.pad(all, 0, 0, D.subtract(blocks * length, b.shape(all)[0]!));
    const scaled = b.mul(b.reshape(padded, [blocks, length]), b.reshape(b.asReal(largest!), [blocks, 1]));
    const w = b.reshape(b.slice(b.reshape(scaled, [blocks * length]), 0, 0, N * K), [N, K]);
    const right = !flag(node, "transB", true) ? b.reshape(w, [K, N]) : b.transpose(w, [1, 0]);
    return [b.cast(b.matmul(b.asReal(x!), right), x!.type)];
  },
});

/** Rows of a table in blocks: an embedding that the operator itself dequantises. */
export const GatherBlockQuantized = defineOp("com.microsoft::GatherBlockQuantized", {
  role: "opaque",
  infer: (c): Inferred => {
    const [table, ids] = [input(c, 0), input(c, 1)];
    const rank = table.shape?.length ?? 0;
    const fields = table.type === "uint8" ? 8 / int(c.node, "bits", 4) : 1;
    const row = table.shape?.slice(1).map((d, i) => (i === rank - 2 ? D.multiply(d, fields) : d));
    return { type: input(c, 2).type, shape: row && ids.shape && [...ids.shape, ...row] };
  },
  canonical: ({ node, inputs, b }) => {
    const axis = int(node, "gather_axis", 0);
    return [markEmbedding(b.emit(node.operator, inputs, node.attributes), inputs[0], inputs[1], axis)];
  },
});
