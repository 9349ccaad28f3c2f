/**
 * 8-bit products that some processors add wrongly: without VNNI an x86-64 processor adds a0 b0 + a1 b1 (unsigned a, signed b) in 16
 * bits, which saturate. 255 (|b0| + |b1|) fits in them where no |b| is above 64, as in files made with `reduce_range`.
 */
import { create } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "../onnx/generated/onnx_pb.js";
import { readModel, writeModel } from "../onnx/model.js";
import { readTensor, writeTensor } from "../onnx/tensor-proto.js";
import { elementTypeNumber } from "../tensor/element-type.js";
import { readNumbers, tensorOf } from "../tensor/tensor.js";

const products =
  /^(MatMulInteger|MatMulIntegerToFloat|DynamicQuantizeMatMul|ConvInteger|QLinear(MatMul|Conv)|QGemm|QAttention)$/;
const SAFE = 64;

/** Names of the signed 8-bit weights, in the file itself, whose products saturate on a processor that adds them in 16 bits. */
export function saturatingWeights(model: Uint8Array): string[] {
  const { node, initializer } = readModel(model).graph!;
  // Between activations that are quantised and weights that are dequantised, the runtime multiplies integers.
  const rounds = node.some(({ opType }) => opType === "QuantizeLinear");
  const multiplied = (opType: string) => products.test(opType) || (rounds && opType === "DequantizeLinear");
  const read = new Set(node.filter(({ opType }) => multiplied(opType)).flatMap(({ input }) => input));
  return initializer.flatMap((proto) => {
    if (!read.has(proto.name) || proto.dims.length < 2) return [];
    const tensor = readTensor(proto);
    const large = tensor.type === "int8" && readNumbers(tensor)?.some((value) => Math.abs(value) > SAFE);
    return large ? [proto.name] : [];
  });
}

/** 64 products of 255 and 127: a model `x` uint8 [1, 64] -> `y` int32 [1, 1], for trying out a processor. */
export const SUM_OF_64 = { exact: 64 * 255 * 127, length: 64 } as const;

export function saturationProbe(): Uint8Array {
  const info = (name: string, type: "uint8" | "int32", dims: readonly number[]) => ({
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: {
          elemType: elementTypeNumber(type),
          shape: { dim: dims.map((n) => ({ value: { case: "dimValue" as const, value: BigInt(n) } })) },
        },
      },
    },
  });
  const weights = tensorOf(
    "int8",
    Array.from({ length: SUM_OF_64.length }, () => 127),
    [SUM_OF_64.length, 1],
  );
  return writeModel(
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 17n }],
      graph: {
        name: "probe",
        node: [{ opType: "MatMulInteger", input: ["x", "w"], output: ["y"] }],
        initializer: [writeTensor("w", weights)],
        input: [info("x", "uint8", [1, SUM_OF_64.length])],
        output: [info("y", "int32", [1, 1])],
      },
    }),
  );
}
