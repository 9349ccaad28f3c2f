/** TensorProto <-> Tensor. Typed fields (`float_data` ...) and `raw_data` are both read; the raw bytes are never copied. */
import { create } from "@bufbuild/protobuf";
import { fail } from "../errors.js";
import { type ElementType, elementTypeNumber, elementTypeOf } from "../tensor/element-type.js";
import { saturate, type Tensor, tensorOf } from "../tensor/tensor.js";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "./generated/onnx_pb.js";

export function readTensor(proto: TensorProto): Tensor {
  const type = elementTypeOf(proto.dataType);
  if (!type) fail("E025", `element type ${proto.dataType}`, { at: `tensor "${proto.name}"` });
  const dims = proto.dims.map(saturate);
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) return { type, dims, bytes: undefined };
  if (proto.rawData.length > 0) return { type, dims, bytes: proto.rawData };
  return { type, dims, bytes: typedBytes(proto, type) };
}

function typedBytes(proto: TensorProto, type: ElementType): Uint8Array | undefined {
  if (proto.floatData.length > 0) return tensorOf("float32", proto.floatData).bytes;
  if (proto.doubleData.length > 0) return tensorOf("float64", proto.doubleData).bytes;
  if (proto.int64Data.length > 0) return tensorOf("int64", proto.int64Data.map(saturate)).bytes;
  if (proto.int32Data.length > 0) return narrow(proto.int32Data, type);
  if (proto.uint64Data.length > 0) return unsigned(proto.uint64Data, type);
  return proto.stringData.length > 0 ? undefined : new Uint8Array();
}

/** `uint64_data` holds 64- and 32-bit unsigned integers. */
function unsigned(values: readonly bigint[], type: ElementType): Uint8Array {
  const size = type === "uint64" ? 8 : 4;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((x, i) => {
    if (size === 8) view.setBigUint64(i * 8, x, true);
    else view.setUint32(i * 4, Number(x), true);
  });
  return bytes;
}

/** `int32_data` also holds 8- and 16-bit integers, booleans and the bits of 16-bit floats, one per entry. */
function narrow(values: readonly number[], type: ElementType): Uint8Array {
  const size = /32/.test(type) ? 4 : /16/.test(type) ? 2 : 1;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((x, i) => {
    if (size === 4) view.setInt32(i * 4, x, true);
    else if (size === 2) view.setUint16(i * 2, x & 0xffff, true);
    else view.setUint8(i, x & 0xff);
  });
  return bytes;
}

export function writeTensor(name: string, tensor: Tensor): TensorProto {
  if (!tensor.bytes) throw new Error("internal: a constant without bytes");
  return create(TensorProtoSchema, {
    name,
    dataType: elementTypeNumber(tensor.type),
    dims: tensor.dims.map(BigInt),
    rawData: tensor.bytes,
  });
}
