/** The authors' numbers: cases, spellings and maps of test/goldens. What was read is remembered, so that nothing lies there unread. */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { type Arrays, array, type NumberArray } from "../../../../test/support/runtime.js";
import { TensorProtoSchema } from "../../src/onnx/generated/onnx_pb.js";
import { readTensor } from "../../src/onnx/tensor-proto.js";
import { readNumbers } from "../../src/tensor/tensor.js";

const root = new URL("../../../../test/goldens/", import.meta.url);

export interface Case {
  readonly case: string;
  readonly kind: "vit" | "bert";
  readonly config: { readonly depth?: number; readonly layers?: number };
  /** Classes by sample; the top class first. */
  readonly targets: Readonly<Record<string, readonly number[]>>;
  /** The authors' own float32 error, by map, then by sample or sample/target; null where it is not a number. */
  readonly f32_vs_f64_rel_l2: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly spellings: readonly { readonly name: string; readonly inputs: readonly string[] }[];
}

export const filesRead = new Set<string>();
export const filesThere = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.pathname.length).replace(/^\//, ""));

function bytesOf(path: string): Uint8Array<ArrayBuffer> {
  filesRead.add(path);
  return new Uint8Array(readFileSync(new URL(path, root)));
}

export const cases: readonly Case[] = ["vit_a", "vit_b", "bert_a"].map(
  (name) => JSON.parse(new TextDecoder().decode(bytesOf(`${name}/case.json`))) as Case,
);

/** One spelling lies there as it is, for people and for the tests of the built packages; the others are compressed. */
export function modelOf({ case: name }: Case, spelling: string): Uint8Array<ArrayBuffer> {
  const path = `${name}/models/${spelling}.onnx`;
  const there = readdirSync(new URL(`${name}/models`, root));
  return there.includes(`${spelling}.onnx`) ? bytesOf(path) : new Uint8Array(gunzipSync(bytesOf(`${path}.gz`)));
}

export function tensorOf(path: string): NumberArray {
  const tensor = readTensor(fromBinary(TensorProtoSchema, bytesOf(`${path}.pb`)));
  return array(tensor.type, readNumbers(tensor)!, tensor.dims);
}

export const exists = (path: string): boolean => filesThere().includes(`${path}.pb`);

/** The inputs of a sample that a spelling has. */
export const inputsOf = (c: Case, sample: string, names: readonly string[]): Arrays =>
  Object.fromEntries(names.map((name) => [name, tensorOf(`${c.case}/${sample}/input.${name}`)]));

/** ‖a - b‖ / ‖b‖; 0 where both vanish. */
export function relativeError(a: readonly number[], b: readonly number[]): number {
  const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const difference = norm(a.map((v, i) => v - b[i]!));
  return difference === 0 ? 0 : difference / norm(b);
}
