import { constant, data, fed, number, type Operand, real, type Sample, type Samples } from "./sample.js";

const tokens = (dims: number[]) => data(dims, { fixed: [dims.length - 1] });

/** Integers that fill their range. */
const spread = (count: number, from: number, to: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((i * 97 + 13) % (to - from + 1)));
const size = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1);
const bytes = (dims: readonly number[]): Operand => constant("uint8", spread(size(dims), 0, 255), dims);
/** Beyond ±64 sums of products saturate on some processors. */
const signed = (dims: readonly number[]): Operand => constant("int8", spread(size(dims), -64, 64), dims);
const fedBytes = (dims: readonly number[]): Operand => fed("uint8", spread(size(dims), 0, 255), dims);
const zero = (value: number): Operand => constant("uint8", value);
const scale = (value: number): Operand => constant("float32", value);
const scales = (dims: readonly number[]): Operand =>
  constant(
    "float32",
    Array.from({ length: size(dims) }, (_, i) => 0.01 + 0.003 * (i % 5)),
    dims,
  );

/** Integers have no gradient; the chains of quantization.test.ts have. */
const none = { gradient: "none" } as const;

const quantize: Sample[] = [
  { inputs: [data([2, 3]), number(0.02), zero(100)], single: true, ...none },
  { title: "int8", inputs: [data([2, 3]), number(0.02), constant("int8", 3)], single: true, ...none },
  {
    title: "per axis",
    inputs: [data([2, 3], { fixed: [1] }), number([0.02, 0.03, 0.01]), constant("uint8", [1, 2, 3])],
    attributes: { axis: 1 },
    single: true,
    ...none,
  },
];
const dequantize: Sample[] = [
  { inputs: [fedBytes([2, 3]), scale(0.02), zero(100)] },
  { title: "no zero point", inputs: [fed("int8", spread(6, -127, 127), [2, 3]), scale(0.02)] },
  { title: "weights per axis", inputs: [signed([2, 3]), scales([3]), signed([3])], attributes: { axis: 1 } },
];

/** Each operand with its scale and zero point, then those of the result. */
const result = [scale(0.05), zero(120)];
const quantized = (dims: readonly number[]): Operand[] => [fedBytes(dims), scale(0.02), zero(110)];
const elementwise: Sample[] = [
  { inputs: [...quantized([2, 3]), ...quantized([2, 3]), ...result] },
  { title: "broadcast", inputs: [...quantized([2, 3]), bytes([3]), scale(0.03), zero(90), ...result] },
];
const unary: Sample[] = [{ inputs: [...quantized([2, 3]), ...result] }];

const packed = (bits: number, blocks: number, length: number): Sample["attributes"] => ({
  K: blocks * length,
  N: 3,
  bits,
  block_size: length,
});

export const samples: Samples = {
  QuantizeStraightThrough: [{ title: "is no operator of files", inputs: [data([2]), data([2])], shape: "refused" }],
  QuantizeLinear: quantize,
  "com.microsoft::QuantizeLinear": quantize,
  DequantizeLinear: [
    ...dequantize,
    {
      title: "blocks",
      inputs: [signed([4, 3]), scales([2, 3]), constant("int8", spread(6, -9, 9), [2, 3])],
      attributes: { axis: 0, block_size: 2 },
      opsets: [21],
    },
  ],
  "com.microsoft::DequantizeLinear": dequantize,
  DynamicQuantizeLinear: [{ inputs: [data([2, 3])], outputs: 3, single: true, ...none }],

  MatMulInteger: [
    { inputs: [fedBytes([2, 3, 4]), signed([4, 5])] },
    { title: "zero points", inputs: [fedBytes([3, 4]), signed([4, 5]), zero(120), constant("int8", 2)] },
    { title: "per column", inputs: [fedBytes([3, 4]), signed([4, 5]), zero(120), signed([5])] },
  ],
  ConvInteger: [
    {
      inputs: [fedBytes([1, 2, 4, 4]), bytes([3, 2, 2, 2]), zero(120), zero(125)],
      attributes: { strides: [2, 2] },
      symbolic: false,
    },
  ],
  "com.microsoft::MatMulIntegerToFloat": [
    { inputs: [fedBytes([2, 3, 4]), signed([4, 5]), scale(0.02), scales([5]), zero(120), signed([5]), scales([5])] },
    { title: "plain", inputs: [fedBytes([3, 4]), bytes([4, 5]), scale(0.02), scale(0.03)] },
  ],
  "com.microsoft::DynamicQuantizeMatMul": [
    { inputs: [tokens([2, 3, 4]), signed([4, 5]), scales([5]), signed([5]), scales([5])], single: true, ...none },
  ],
  "com.microsoft::QAttention": [
    {
      inputs: [
        fedBytes([2, 5, 8]),
        bytes([8, 24]),
        scales([24]),
        scale(0.02),
        scale(0.01),
        fed("int32", [5, 3]),
        zero(120),
        zero(125),
      ].map((v) => ({ ...v, fixed: [2] })),
      attributes: { num_heads: 2 },
    },
  ],
  "com.microsoft::QEmbedLayerNormalization": [
    {
      inputs: [
        fed("int32", [4, 0, 2, 5, 1, 3], [2, 3]),
        fed("int32", [0, 1, 1, 0, 0, 1], [2, 3]),
        ...[[6, 8], [4, 8], [2, 8], [8], [8]].map(bytes),
        fed("int32", [1, 1, 0, 1, 1, 1], [2, 3]),
        ...[0.02, 0.01, 0.03, 0.01, 0.02].map(scale),
        ...[120, 100, 90, 80, 130].map(zero),
      ],
      outputs: 2,
    },
  ],

  QLinearMatMul: [
    { inputs: [...quantized([2, 3, 4]), bytes([4, 5]), scale(0.03), zero(125), ...result] },
    {
      title: "per column",
      inputs: [...quantized([3, 4]), signed([4, 5]), scales([5]), signed([5]), ...result],
    },
  ],
  QLinearConv: [
    {
      inputs: [...quantized([1, 2, 4, 4]), signed([3, 2, 2, 2]), scales([3]), constant("int8", [0, 0, 0]), ...result],
      attributes: { strides: [2, 2] },
      symbolic: false,
    },
  ],
  "com.microsoft::QGemm": [
    {
      inputs: [...quantized([2, 4]), bytes([3, 4]), scale(0.03), zero(125), constant("int32", [5, -7, 3]), ...result],
      attributes: { transB: 1 },
    },
    { title: "a real result", inputs: [...quantized([2, 4]), bytes([4, 3]), scale(0.03), zero(125)] },
  ],
  "com.microsoft::QLinearAdd": elementwise,
  "com.microsoft::QLinearMul": elementwise,
  "com.microsoft::QLinearSigmoid": unary,
  "com.microsoft::QLinearLeakyRelu": [{ ...unary[0]!, attributes: { alpha: real(0.2) } }],
  "com.microsoft::QLinearSoftmax": [{ ...unary[0]!, attributes: { axis: -1, opset: 17 } }],
  "com.microsoft::QLinearGlobalAveragePool": [
    { inputs: [...quantized([1, 2, 3, 3]), ...result], attributes: { channels_last: 0 } },
  ],
  "com.microsoft::QLinearConcat": [
    { inputs: [...result, ...quantized([2, 3]), ...quantized([2, 4])], attributes: { axis: 1 } },
  ],
  "com.microsoft::QLinearWhere": [
    {
      inputs: [fed("bool", [1, 0, 1, 0, 0, 1], [2, 3]), ...quantized([2, 3]), ...quantized([2, 3]), ...result],
    },
  ],

  "com.microsoft::MatMulNBits": [
    { inputs: [tokens([2, 3, 32]), bytes([3, 2, 8]), scales([6])], attributes: packed(4, 2, 16) },
    {
      title: "zero points, rows that end within a block, a bias",
      inputs: [tokens([3, 40]), bytes([3, 3, 8]), scales([9]), bytes([6]), undefined, scales([3])],
      attributes: { ...packed(4, 3, 16), K: 40 },
    },
    {
      title: "real zero points",
      inputs: [tokens([3, 32]), bytes([3, 2, 8]), scales([6]), number([7, 8, 6.5, 8, 7.5, 9], [3, 2])],
      attributes: packed(4, 2, 16),
    },
    { title: "8 bits", inputs: [tokens([3, 32]), bytes([3, 2, 16]), scales([6])], attributes: packed(8, 2, 16) },
    {
      title: "2 bits, zero points",
      inputs: [tokens([3, 32]), bytes([3, 2, 4]), scales([6]), bytes([3])],
      attributes: packed(2, 2, 16),
    },
    {
      title: "grouped by an index",
      inputs: [tokens([3, 32]), bytes([3, 2, 8]), scales([6]), undefined, constant("int32", spread(32, 0, 1))],
      attributes: packed(4, 2, 16),
      shape: "refused",
    },
  ],
  "com.microsoft::MatMulBnb4": [
    {
      title: "NF4",
      inputs: [tokens([3, 32]), bytes([48]), scales([6])],
      attributes: { K: 32, N: 3, block_size: 16, quant_type: 1 },
    },
    {
      title: "FP4, blocks that run on over rows",
      inputs: [tokens([3, 20]), bytes([30]), scales([4])],
      attributes: { K: 20, N: 3, block_size: 16, quant_type: 0 },
    },
  ],
  "com.microsoft::GatherBlockQuantized": [
    {
      inputs: [bytes([6, 16]), fed("int64", [3, 0, 5, 2], [2, 2]), scales([6, 2])],
      attributes: { gather_axis: 0, quantize_axis: 1, block_size: 16, bits: 4 },
    },
  ],
};
