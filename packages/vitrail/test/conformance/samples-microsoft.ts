import { constant, data, fed, type Operand, real, type Sample, type Samples, weight } from "./sample.js";

/** Widths are part of a model's structure; samples and tokens may be symbols. */
const tokens = (dims: number[]) => data(dims, { fixed: [dims.length - 1] });
const heads = (dims: number[]) => data(dims, { fixed: [1, 3] });
const x = tokens([2, 5, 8]);
const epsilon = { epsilon: real(1e-3) };

const lengths = fed("int32", [5, 3]);
const keyMask = fed("int32", [1, 1, 1, 0, 1, 1, 1, 0, 0, 0], [2, 5]);
const fullMask = fed(
  "int32",
  Array.from({ length: 50 }, (_, i) => Number(i % 7 !== 3)),
  [2, 5, 5],
);
const scoreBias = weight([1, 2, 5, 5]);
const startsAndEnds = constant("int32", [5, 3, 0, 1]);

const gelu: Sample[] = [{ inputs: [data([2, 3, 4])] }];
const biased: Sample[] = [{ inputs: [tokens([2, 3, 4]), weight([4])] }];

const skipNorm = (beta: readonly Operand[]): Sample[] => [
  { inputs: [x, x, weight([8]), ...beta] },
  { title: "a bias", inputs: [x, x, weight([8]), ...beta, weight([8])], attributes: epsilon },
];

/** Inputs from the mask on. */
const packed = (...rest: (Operand | undefined)[]): readonly (Operand | undefined)[] => [
  x,
  weight([8, 24]),
  weight([24]),
  ...rest,
];
const separate = (...rest: (Operand | undefined)[]): readonly (Operand | undefined)[] => [x, x, x, ...rest];
const two = { num_heads: 2 };

const cached: Sample[] = [{ inputs: [x, x, x], attributes: two, shape: "refused" }];

const angles = (dims: number[]) => weight(dims, { high: 0.9 });
const places = fed("int64", [0, 3, 1, 5, 2, 4], [2, 3]);

const products = (...more: Sample[]): Sample[] => [
  { inputs: [data([2, 3, 4]), weight([4, 5])] },
  { title: "two operands of data", inputs: [data([2, 3, 4]), data([2, 4, 5])] },
  { title: "a factor", inputs: [data([2, 3, 4]), data([2, 4, 5])], attributes: { alpha: real(0.3) } },
  {
    title: "transposed",
    inputs: [data([2, 4, 3]), data([2, 5, 4])],
    attributes: { transA: 1, transB: 1, alpha: real(2) },
  },
  ...more,
];

const ids = fed("int32", [4, 0, 2, 5, 1, 3], [2, 3]);
const segments = fed("int32", [0, 1, 1, 0, 0, 1], [2, 3]);
const norm = [weight([8]), weight([8])];
const tables = [weight([6, 8]), weight([4, 8]), weight([2, 8])];

export const samples: Samples = {
  "com.microsoft::Gelu": gelu,
  "com.microsoft::QuickGelu": [...gelu, { title: "alpha", inputs: [data([2, 3])], attributes: { alpha: real(1.3) } }],
  "com.microsoft::FastGelu": [...gelu, { title: "a bias", inputs: [tokens([2, 3, 4]), weight([4])] }],
  "com.microsoft::BiasGelu": biased,

  "com.microsoft::FusedMatMul": products({
    title: "batches behind tokens",
    inputs: [data([3, 2, 4]), data([4, 2, 5])],
    attributes: { transBatchA: 1, transBatchB: 1 },
  }),
  "com.microsoft::TransposeMatMul": products(),
  "com.microsoft::FusedGemm": [
    { inputs: [data([2, 4]), weight([4, 3]), weight([3])], attributes: { activation: "Tanh" } },
    {
      title: "transposed, a parameter",
      inputs: [data([2, 4]), weight([3, 4]), weight([3], { low: 7, high: 9 })],
      attributes: { activation: "LeakyRelu", activation_alpha: real(0.2), transB: 1, alpha: real(0.5) },
    },
    {
      title: "an unknown activation",
      inputs: [data([2, 4]), weight([4, 3])],
      attributes: { activation: "Mish2" },
      shape: "refused",
    },
  ],
  "com.microsoft::FusedConv": [
    {
      inputs: [data([1, 2, 4, 4]), weight([3, 2, 2, 2]), weight([3])],
      attributes: { activation: "Relu", kernel_shape: [2, 2], strides: [2, 2] },
      symbolic: false,
    },
    {
      title: "a limited range, a sum",
      inputs: [data([1, 2, 3, 3]), weight([2, 2, 1, 1]), undefined, data([1, 2, 3, 3])],
      attributes: { activation: "Clip", activation_params: real([-1.1, 1.3]) },
      symbolic: false,
    },
  ],

  SimplifiedLayerNormalization: [
    { inputs: [tokens([2, 3, 8]), weight([8])], attributes: { axis: -1, ...epsilon } },
    { title: "statistics", inputs: [tokens([2, 3, 8]), weight([8])], attributes: { axis: -1 }, gradient: "none" },
  ],
  "com.microsoft::SkipLayerNormalization": [
    ...skipNorm([weight([8])]),
    { title: "one skip for all samples", inputs: [x, data([1, 5, 8], { fixed: [2] }), weight([8]), weight([8])] },
    { title: "no beta", inputs: [x, x, weight([8])] },
  ],
  "com.microsoft::SkipSimplifiedLayerNormalization": skipNorm([]),

  "com.microsoft::EmbedLayerNormalization": [
    {
      inputs: [ids, segments, ...tables, ...norm, fed("int32", [1, 1, 0, 1, 1, 1], [2, 3])],
      outputs: 2,
      gradient: "none",
    },
    {
      title: "no segments, no mask",
      inputs: [ids, undefined, tables[0], tables[1], undefined, ...norm],
      outputs: 2,
      gradient: "none",
    },
    {
      title: "places, the sum",
      inputs: [ids, segments, ...tables, ...norm, undefined, fed("int32", [0, 3, 1, 2, 2, 0], [2, 3])],
      attributes: epsilon,
      outputs: 3,
      gradient: "none",
    },
  ],

  "com.microsoft::Attention": [
    { inputs: packed(), attributes: two },
    { title: "lengths", inputs: packed(lengths), attributes: { ...two, mask_filter_value: real(-30) } },
    { title: "a mask of keys", inputs: packed(keyMask), attributes: two },
    { title: "a mask of pairs", inputs: packed(fullMask), attributes: two },
    { title: "causal, a scale", inputs: packed(), attributes: { ...two, unidirectional: 1, scale: real(0.2) } },
    { title: "causal with lengths", inputs: packed(lengths), attributes: { ...two, unidirectional: 1 } },
    { title: "a bias of the scores", inputs: packed(keyMask, undefined, scoreBias), attributes: two },
    {
      title: "narrow keys",
      inputs: [x, weight([8, 16]), weight([16])],
      attributes: { ...two, qkv_hidden_sizes: [4, 4, 8] },
    },
    { title: "starts and ends", inputs: packed(startsAndEnds), attributes: two, shape: "refused" },
    {
      title: "a cache",
      inputs: packed(undefined, data([2, 2, 2, 3, 4])),
      attributes: two,
      outputs: 2,
      shape: "refused",
    },
  ],
  "com.microsoft::MultiHeadAttention": [
    { inputs: separate(), attributes: two },
    { title: "a bias, a mask of keys", inputs: separate(weight([24]), keyMask), attributes: two },
    { title: "lengths", inputs: separate(undefined, lengths), attributes: { ...two, mask_filter_value: real(-30) } },
    {
      title: "a bias of the scores, causal, a scale",
      inputs: separate(undefined, undefined, scoreBias),
      attributes: { ...two, unidirectional: 1, scale: real(0.9) },
    },
    { title: "fewer queries", inputs: [tokens([2, 3, 8]), x, x], attributes: two },
    { title: "wide values", inputs: [tokens([2, 3, 8]), x, tokens([2, 5, 12])], attributes: two },
    {
      title: "keys and values of heads",
      inputs: [tokens([2, 3, 8]), heads([2, 2, 5, 4]), heads([2, 2, 5, 4])],
      attributes: two,
    },
    {
      title: "a cache",
      inputs: separate(undefined, undefined, undefined, heads([2, 2, 3, 4]), heads([2, 2, 3, 4])),
      attributes: two,
      outputs: 3,
      shape: "refused",
    },
  ],
  "com.microsoft::GroupQueryAttention": cached,
  "com.microsoft::PagedAttention": cached,
  "com.microsoft::SparseAttention": cached,
  "com.microsoft::DecoderAttention": cached,
  "com.microsoft::DecoderMaskedSelfAttention": cached,
  "com.microsoft::DecoderMaskedMultiHeadAttention": cached,

  RotaryEmbedding: [
    { inputs: [heads([2, 2, 3, 8]), angles([2, 3, 4]), angles([2, 3, 4])], opsets: [23] },
    {
      title: "interleaved, places",
      inputs: [heads([2, 2, 3, 8]), angles([6, 4]), angles([6, 4]), places],
      attributes: { interleaved: 1 },
      opsets: [23],
    },
    {
      title: "flat heads, a part of the features",
      inputs: [tokens([2, 3, 16]), angles([6, 2]), angles([6, 2]), places],
      attributes: { num_heads: 2, rotary_embedding_dim: 4 },
      opsets: [23],
    },
  ],
  "com.microsoft.nchwc::Conv": [
    {
      title: "weights in blocks of 8 or 16",
      inputs: [data([1, 3, 8, 8], { fixed: [1] }), weight([16, 3, 4, 4]), weight([16])],
      attributes: { strides: [4, 4] },
      gradient: "refused",
    },
  ],
  "com.microsoft.nchwc::ReorderInput": [
    { inputs: [data([1, 16, 2, 3], { fixed: [1] })], shape: "unknown", gradient: "refused" },
  ],
  "com.microsoft.nchwc::ReorderOutput": [
    { inputs: [data([1, 16, 2, 3], { fixed: [1] })], attributes: { channels: 16 }, gradient: "refused" },
    {
      title: "channels last",
      inputs: [data([1, 16, 2, 3], { fixed: [1] })],
      attributes: { channels: 16, channels_last: 1 },
      gradient: "refused",
    },
  ],
  "com.microsoft::RotaryEmbedding": [
    { inputs: [heads([2, 2, 3, 8]), places, angles([6, 4]), angles([6, 4])] },
    {
      title: "interleaved, one offset",
      inputs: [tokens([2, 3, 16]), fed("int64", [2]), angles([6, 4]), angles([6, 4])],
      attributes: { interleaved: 1 },
    },
    {
      title: "a part of the features",
      inputs: [tokens([2, 3, 16]), places, angles([6, 2]), angles([6, 2])],
      attributes: { num_heads: 2, rotary_embedding_dim: 4 },
    },
  ],
};
