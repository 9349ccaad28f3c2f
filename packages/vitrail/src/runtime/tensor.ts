import { fromFloat16, toFloat16 } from "../tensor/half.js";

export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** What goes into and comes out of a session. An `ort.Tensor` fits; so does a plain object. */
export interface Tensor {
  /** ONNX Runtime's word for the element type: `float32`, `int64`, `bool` ... */
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

export type Feeds = Readonly<Record<string, Tensor>>;
export type Outputs = Record<string, Tensor>;

const typeNames: readonly (readonly [new (length: number) => TypedArray, string])[] = [
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [BigInt64Array, "int64"],
  [BigUint64Array, "uint64"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
  [Int16Array, "int16"],
  [Uint16Array, "uint16"],
  [Int8Array, "int8"],
  [Uint8Array, "uint8"],
];

/** `tensor(pixels, [1, 3, 224, 224])`: the element type is the array's own unless said otherwise (`bool`, `float16`). */
export function tensor(data: TypedArray, dims: readonly number[], type?: string): Tensor {
  const own = typeNames.find(([arrayType]) => data instanceof arrayType)?.[1];
  if (own === undefined) throw new TypeError("tensor(data, dims): data must be a typed array");
  return { type: type ?? own, dims, data };
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** The numbers of a tensor as float32, whatever its floating type. */
export function toFloat32({ type, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === "float16") return Float32Array.from(data as Uint16Array, fromFloat16);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Numbers as the elements of a tensor of any floating type; bytes are rounded and clipped. */
export function fromFloat32(values: Float32Array, dims: readonly number[], type: string): Tensor {
  if (type === "float64") return { type, dims, data: Float64Array.from(values) };
  if (type === "float16") return { type, dims, data: Uint16Array.from(values, toFloat16) };
  if (type === "uint8") return { type, dims, data: new Uint8Array(Uint8ClampedArray.from(values)) };
  return { type, dims, data: values };
}
