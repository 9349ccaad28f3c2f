/** Table 1, complete: operator name -> entry. Files of this folder export nothing but entries and their helpers. */
import * as activation from "./activation.js";
import * as arithmetic from "./arithmetic.js";
import * as attention from "./attention.js";
import * as blocked from "./blocked.js";
import * as einsum from "./einsum.js";
import * as groupNormalization from "./group-normalization.js";
import * as indexing from "./indexing.js";
import * as integerProduct from "./integer-product.js";
import * as microsoft from "./microsoft.js";
import * as microsoftAttention from "./microsoft-attention.js";
import * as microsoftEmbedding from "./microsoft-embedding.js";
import * as movement from "./movement.js";
import * as normalization from "./normalization.js";
import type { Operator } from "./operator.js";
import * as packedWeights from "./packed-weights.js";
import * as padding from "./padding.js";
import * as part from "./part.js";
import * as pooling from "./pooling.js";
import * as product from "./product.js";
import * as quantization from "./quantization.js";
import * as quantizedLinear from "./quantized-linear.js";
import * as reduction from "./reduction.js";
import * as resize from "./resize.js";
import * as rotary from "./rotary.js";
import * as shape from "./shape.js";

const modules: readonly Record<string, unknown>[] = [
  arithmetic,
  activation,
  product,
  einsum,
  pooling,
  movement,
  part,
  padding,
  indexing,
  reduction,
  normalization,
  groupNormalization,
  attention,
  shape,
  resize,
  rotary,
  quantization,
  integerProduct,
  quantizedLinear,
  packedWeights,
  microsoft,
  microsoftAttention,
  microsoftEmbedding,
  blocked,
];

const isOperator = (entry: unknown): entry is Operator =>
  typeof entry === "object" && entry !== null && "infer" in entry && "role" in entry;

export const operators: ReadonlyMap<string, Operator> = new Map(
  modules.flatMap((m) => Object.values(m).filter(isOperator)).map((o) => [o.name, o]),
);
