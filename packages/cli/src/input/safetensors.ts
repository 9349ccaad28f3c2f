import { type Tensor, type TypedArray, tensor } from "vitrail/node";
import { messageOf, problem } from "../problem.js";
import { notJson, readBytes } from "./file.js";

type ArrayType = { new (buffer: ArrayBuffer): TypedArray; readonly BYTES_PER_ELEMENT: number };

/** Element types of the format, with the array that holds them and ONNX Runtime's word. */
const types: Readonly<Record<string, readonly [ArrayType, string]>> = {
  F64: [Float64Array, "float64"],
  F32: [Float32Array, "float32"],
  F16: [Uint16Array, "float16"],
  I64: [BigInt64Array, "int64"],
  I32: [Int32Array, "int32"],
  I16: [Int16Array, "int16"],
  I8: [Int8Array, "int8"],
  U64: [BigUint64Array, "uint64"],
  U32: [Uint32Array, "uint32"],
  U16: [Uint16Array, "uint16"],
  U8: [Uint8Array, "uint8"],
  BOOL: [Uint8Array, "bool"],
};

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Reads a .safetensors file: eight bytes of header length, a JSON header, then the data. */
export async function readSafetensors(path: string): Promise<Record<string, Tensor>> {
  const bytes = await readBytes(path);
  try {
    return parseSafetensors(bytes);
  } catch (error) {
    const hint =
      'write it with safetensors, for example safetensors.torch.save_file({"pixel_values": x}, "x.safetensors")';
    throw problem("E089", { at: path, why: messageOf(error), try: hint });
  }
}

export function parseSafetensors(bytes: Uint8Array): Record<string, Tensor> {
  if (bytes.length < 8) throw new Error("it is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > bytes.length - 8)
    throw new Error("its header is longer than the file, so it is truncated or something else");
  const header = readHeader(bytes.subarray(8, 8 + length));
  const body = bytes.subarray(8 + length);
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return Object.fromEntries(entries.map(([name, entry]) => [name, readEntry(name, entry, body)]));
}

function readHeader(bytes: Uint8Array): Record<string, Entry> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Error(`its header cannot be read: ${notJson(error)}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw new Error("its header is no list");
  for (const [name, entry] of Object.entries(header)) if (name !== "__metadata__") checkEntry(name, entry);
  return header as Record<string, Entry>;
}

function checkEntry(name: string, entry: unknown): void {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const counts = (value: unknown) => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
  const pair = counts(offsets) && (offsets as number[]).length === 2;
  if (typeof dtype === "string" && counts(shape) && pair) return;
  throw new Error(`tensor "${name}" has no dtype, shape and data_offsets as the format wants them`);
}

function readEntry(name: string, { dtype, shape, data_offsets: [start, end] }: Entry, body: Uint8Array): Tensor {
  const known = Object.hasOwn(types, dtype) ? types[dtype] : undefined;
  if (!known) throw new Error(`tensor "${name}" has the element type ${dtype}, which is not supported`);
  const [arrayType, type] = known;
  const elements = shape.reduce((product, dim) => product * dim, 1);
  if (end > body.length) throw new Error(`the data of tensor "${name}" is cut off`);
  if (end - start !== elements * arrayType.BYTES_PER_ELEMENT) {
    throw new Error(`tensor "${name}" has ${end - start} bytes, its shape [${shape.join(", ")}] needs another number`);
  }
  // A copy, because the format does not align its data (and because the slice of a Buffer is none).
  const { buffer } = new Uint8Array(body.subarray(start, end));
  return tensor(new arrayType(buffer), shape, type);
}
