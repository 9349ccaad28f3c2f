/** What schemas ask of operands: how many there are, and which of them are of one element type. */
import type { Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { Misfit } from "../tensor/misfit.js";

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

/**
 * Operands of one element type, at the places that are named or at all of them. Only what every operator set and runtime asks
 * for: exponents, and the scales of norms, may be of another.
 */
const ALIKE: readonly (readonly [operators: string, ...places: readonly number[]])[] = [
  [
    "Add And BitwiseAnd BitwiseOr BitwiseXor Clip Concat Conv ConvTranspose Div Einsum Equal Gemm Greater GreaterOrEqual Less " +
      "LessOrEqual MatMul Max Mean Min Mod Mul Or PRelu Range Sub Sum Xor",
  ],
  ["com.microsoft::BiasGelu com.microsoft::FusedConv com.microsoft::FusedGemm com.microsoft::FusedMatMul"],
  ["com.microsoft::TransposeMatMul"],
  ["Where", 1, 2],
  ["Pad ScatterElements ScatterND", 0, 2],
  ["Attention", 0, 1],
];

const alike = new Map(ALIKE.flatMap(([names, ...places]) => names.split(" ").map((name) => [name, places] as const)));

/**
 * Checks a node of the file, whose operator `known` has.
 * @throws Misfit where an operand is missing, or two are of different element types that have to be the same
 */
export function checkOperands(
  operator: string,
  operands: readonly (Value | undefined)[],
  known: ReadonlyMap<string, unknown>,
): void {
  for (let i = 0; i < (fewest.get(operator) ?? 1); i++) if (!operands[i]) throw new Misfit(`its input ${i} is missing`);
  const places = alike.get(operator);
  if (!places) return;
  const among = (places.length > 0 ? places.map((i) => operands[i]) : operands).filter((v) => v !== undefined);
  const types = new Set(among.map((v) => v.type));
  if (types.size < 2) return;
  // What an operator that nobody knows gives is a guess.
  if (ancestors(among).some((n) => !known.has(n.operator))) return;
  throw new Misfit(`its operands are ${[...types].join(" and ")}, and have to be of one element type`);
}
