/** The collection: its manifest, its goldens, and its compiled files with plain numbers in and out. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { type Arrays, array, type NumberArray } from "../../../test/support/runtime.js";
import { elementCount } from "../src/tensor/tensor.js";

const root = new URL("../../../test/collection/", import.meta.url);

export interface Spelling {
  readonly file: string;
  readonly compare: "exact" | "folded" | "half" | "correlation" | "forward";
  readonly format: string;
  readonly notes: readonly string[];
  /** Prefix of goldens of its own, where the file computes another function than its family. */
  readonly own?: string;
  /** Samples that onnxruntime runs it with, where these are not all. */
  readonly batch?: number;
}

export interface CollectionMap {
  readonly explains: string;
  readonly suffix: string;
  readonly walk: string;
  readonly output?: string;
}

export interface Family {
  readonly family: string;
  readonly title: string;
  readonly group: string;
  readonly inputs: readonly { readonly name: string; readonly axes: Readonly<Record<string, string>> }[];
  readonly output: string;
  readonly maps: readonly CollectionMap[];
  /** Cases; each has one position per sample of the explained output, after the batch axis. */
  readonly targets: readonly (readonly (readonly number[])[])[];
  readonly golden: string;
  readonly float32Noise: { readonly E: number; readonly map: number };
  readonly spellings: readonly Spelling[];
}

export const families: readonly Family[] = JSON.parse(readFileSync(new URL("manifest.json", root), "utf8")).families;

/** Every tensor of a family's golden file. */
export function goldenOf({ golden }: Family): Arrays {
  const bytes = readFileSync(new URL(golden, root));
  const size = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + size).toString());
  return Object.fromEntries(
    Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const own = new Uint8Array(bytes.subarray(8 + size + from, 8 + size + to)).buffer;
          if (dtype === "I64") return [name, array("int64", Array.from(new BigInt64Array(own), Number), shape)];
          return [
            name,
            array("float32", Array.from(dtype === "F64" ? new Float64Array(own) : new Float32Array(own)), shape),
          ];
        },
      ),
  );
}

export const bytesOf = ({ file }: Spelling): Uint8Array => new Uint8Array(readFileSync(new URL(file, root)));

export interface Opened {
  readonly run: (feeds: Arrays, target: NumberArray) => Promise<NumberArray>;
  readonly release: () => Promise<void>;
}

/** Opens what was compiled of a file, as users do; weights in a second file lie beside it. */
export async function openCompiled(bytes: Uint8Array, { file }: Spelling): Promise<Opened> {
  const options = { logSeverityLevel: 4, intraOpNumThreads: 1, interOpNumThreads: 1 } as const;
  const weights = new URL(`${file}.data`, root);
  let session: InferenceSession;
  if (existsSync(weights)) {
    const folder = mkdtempSync(join(tmpdir(), "vitrail-"));
    copyFileSync(weights, join(folder, basename(weights.pathname)));
    writeFileSync(join(folder, "compiled.onnx"), bytes);
    session = await InferenceSession.create(join(folder, "compiled.onnx"), options);
    rmSync(folder, { recursive: true });
  } else session = await InferenceSession.create(bytes, options);
  const types = new Map(session.inputMetadata.flatMap((m) => (m.isTensor ? [[m.name, m.type] as const] : [])));
  return {
    run: async (feeds, target) => {
      const given: Arrays = { ...feeds, target };
      const tensors = session.inputNames.map((name) => [name, tensorFrom(given[name]!, types.get(name)!)] as const);
      const { relevance } = await session.run(Object.fromEntries(tensors), ["relevance"]);
      return array("float32", Array.from(relevance!.data as Float32Array), relevance!.dims);
    },
    release: () => session.release(),
  };
}

function tensorFrom({ values, dims }: NumberArray, type: Tensor.Type): Tensor {
  if (type === "float16") return new Tensor(type, Uint16Array.from(values, toFloat16), dims);
  if (type === "float64") return new Tensor(type, Float64Array.from(values), dims);
  return type === "int64"
    ? new Tensor(type, BigInt64Array.from(values, BigInt), dims)
    : new Tensor("float32", Float32Array.from(values), dims);
}

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** Bits of a number as binary16, rounded towards zero: the pictures here are exact in it, or near enough. */
function toFloat16(x: number): number {
  real[0] = x;
  const bits = word[0]!;
  const exponent = ((bits >> 23) & 255) - 112;
  return exponent <= 0 ? (bits >> 16) & 0x8000 : ((bits >> 16) & 0x8000) | (exponent << 10) | ((bits & 0x7fffff) >> 13);
}

/** The given samples of an array, in the given order. */
export function samples({ type, dims, values }: NumberArray, which: readonly number[]): NumberArray {
  const size = elementCount(dims.slice(1));
  const picked = which.flatMap((i) => values.slice(i * size, (i + 1) * size));
  return array(type, picked, [which.length, ...dims.slice(1)]);
}

/** The first `length` positions of every sample. */
export function cut({ type, dims, values }: NumberArray, length: number): NumberArray {
  const [count, before] = [dims[0]!, dims[1]!];
  const inner = elementCount(dims.slice(2));
  const rows = Array.from({ length: count }, (_, i) => values.slice(i * before * inner, (i * before + length) * inner));
  return array(type, rows.flat(), [count, length, ...dims.slice(2)]);
}

/** One at the position of every sample. */
export function oneHots(dims: readonly number[], positions: readonly (readonly number[])[]): NumberArray {
  const values = new Array<number>(elementCount(dims)).fill(0);
  positions.forEach((position, sample) => {
    values[position.reduce((at, p, i) => at * dims[i + 1]! + p, sample)] = 1;
  });
  return array("float32", values, dims);
}

/** ‖a - b‖ / ‖b‖ */
export function relativeError(a: readonly number[], b: readonly number[]): number {
  const norm = (x: readonly number[]) => Math.hypot(...x);
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const off = norm(a.map((v, i) => v - b[i]!));
  return off === 0 ? 0 : off / norm(b);
}

export function correlation(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  const centred = (x: readonly number[]) => {
    const mean = x.reduce((s, v) => s + v, 0) / x.length;
    return x.map((v) => v - mean);
  };
  const [x, y] = [centred(a), centred(b)];
  return x.reduce((s, v, i) => s + v * y[i]!, 0) / (Math.hypot(...x) * Math.hypot(...y));
}
