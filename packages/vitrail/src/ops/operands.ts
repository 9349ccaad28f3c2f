/**
 * The fewest operands of an operator: those that stand first in its schema and are not optional (ONNX from opset 7 on;
 * onnxruntime's own operators). Where none is named, it is one.
 */
const FEWEST: readonly (readonly [count: number, operators: string])[] = [
  [
    2,
    "Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Mod Mul Or Pow Sub Xor BitShift PRelu Conv ConvTranspose Gemm MatMul " +
      "Expand Reshape Tile Gather GatherElements GatherND GridSample CumSum LayerNormalization RMSNormalization " +
      "SimplifiedLayerNormalization CastLike DequantizeLinear QuantizeLinear ConvInteger MatMulInteger",
  ],
  [
    3,
    "Where OneHot ScatterElements ScatterND Attention Range RotaryEmbedding InstanceNormalization GroupNormalization",
  ],
  [5, "BatchNormalization"],
  [8, "QLinearConv QLinearMatMul"],
  [2, "com.microsoft::QuantizeLinear com.microsoft::DequantizeLinear com.microsoft::BiasGelu com.microsoft::Attention"],
  [2, "com.microsoft::FusedConv com.microsoft::FusedGemm com.microsoft::FusedMatMul com.microsoft::TransposeMatMul"],
  [
    2,
    "com.microsoft::QLinearAdd com.microsoft::QLinearMul com.microsoft::QLinearSigmoid com.microsoft::QLinearSoftmax",
  ],
  [2, "com.microsoft::QLinearLeakyRelu"],
  [3, "com.microsoft::DynamicQuantizeMatMul com.microsoft::QLinearConcat com.microsoft::GatherBlockQuantized"],
  [3, "com.microsoft::MatMulNBits com.microsoft::MatMulBnb4 com.microsoft::DecoderMaskedSelfAttention"],
  [3, "com.microsoft::SkipLayerNormalization com.microsoft::SkipSimplifiedLayerNormalization"],
  [4, "com.microsoft::RotaryEmbedding com.microsoft::MatMulIntegerToFloat"],
  [5, "com.microsoft::QLinearGlobalAveragePool com.microsoft::DecoderAttention com.microsoft::QAttention"],
  [6, "com.microsoft::QGemm"],
  [9, "com.microsoft::QLinearWhere"],
];

const fewest = new Map(FEWEST.flatMap(([count, names]) => names.split(" ").map((name) => [name, count] as const)));

export const fewestOperands = (operator: string): number => fewest.get(operator) ?? 1;
