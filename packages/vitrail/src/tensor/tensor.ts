/** A constant tensor: element type, dimensions, and the little-endian bytes of the file it came from (never copied until read). */
import type { ElementType } from "./element-type.js";
import { fromBfloat16, fromFloat16, toFloat16 } from "./half.js";

export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Raw little-endian bytes, as a view of the file where possible; undefined when they lie in another file. */
  readonly bytes: Uint8Array | undefined;
}

export const elementCount = (dims: readonly number[]): number => dims.reduce((n, d) => n * d, 1);

/** Reads up to `limit` elements as numbers (64-bit integers saturate at the safe range: ONNX uses INT64_MAX for "to the end"). */
export function readNumbers(tensor: Tensor, limit = Number.POSITIVE_INFINITY): number[] | undefined {
  const count = elementCount(tensor.dims);
  const { bytes } = tensor;
  if (!bytes || count > limit) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = READERS[tensor.type];
  if (!read) return undefined;
  const [size, at] = read;
  if (bytes.byteLength < size * count) return undefined;
  return Array.from({ length: count }, (_, i) => at(view, i * size));
}

type Reader = readonly [size: number, read: (view: DataView, at: number) => number];
const READERS: Partial<Record<ElementType, Reader>> = {
  float32: [4, (v, i) => v.getFloat32(i, true)],
  float64: [8, (v, i) => v.getFloat64(i, true)],
  float16: [2, (v, i) => fromFloat16(v.getUint16(i, true))],
  bfloat16: [2, (v, i) => fromBfloat16(v.getUint16(i, true))],
  int64: [8, (v, i) => saturate(v.getBigInt64(i, true))],
  uint64: [8, (v, i) => saturate(v.getBigUint64(i, true))],
  int32: [4, (v, i) => v.getInt32(i, true)],
  uint32: [4, (v, i) => v.getUint32(i, true)],
  int16: [2, (v, i) => v.getInt16(i, true)],
  uint16: [2, (v, i) => v.getUint16(i, true)],
  int8: [1, (v, i) => v.getInt8(i)],
  uint8: [1, (v, i) => v.getUint8(i)],
  bool: [1, (v, i) => v.getUint8(i)],
};

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);
export const saturate = (x: bigint): number =>
  x > LARGEST ? Number.MAX_SAFE_INTEGER : x < -LARGEST ? Number.MIN_SAFE_INTEGER : Number(x);

/** A tensor of the given type from numbers; dims default to one axis, or none for a single number. */
export function tensorOf(type: ElementType, values: number | readonly number[], dims?: readonly number[]): Tensor {
  const list = typeof values === "number" ? [values] : values;
  const shape = dims ?? (typeof values === "number" ? [] : [list.length]);
  const write = WRITERS[type];
  if (!write) throw new Error(`internal: cannot write ${type} constants`);
  const [size, put] = write;
  const bytes = new Uint8Array(size * list.length);
  const view = new DataView(bytes.buffer);
  list.forEach((x, i) => {
    put(view, i * size, x);
  });
  return { type, dims: shape, bytes };
}

type Writer = readonly [size: number, write: (view: DataView, at: number, x: number) => void];
const WRITERS: Partial<Record<ElementType, Writer>> = {
  float32: [4, (v, i, x) => v.setFloat32(i, x, true)],
  float64: [8, (v, i, x) => v.setFloat64(i, x, true)],
  float16: [2, (v, i, x) => v.setUint16(i, toFloat16(x), true)],
  int64: [8, (v, i, x) => v.setBigInt64(i, BigInt(x), true)],
  int32: [4, (v, i, x) => v.setInt32(i, x, true)],
  uint8: [1, (v, i, x) => v.setUint8(i, x)],
  int8: [1, (v, i, x) => v.setInt8(i, x)],
  bool: [1, (v, i, x) => v.setUint8(i, x)],
};
