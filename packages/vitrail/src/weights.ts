/**
 * The trained numbers of a model in the order of their use, and the same model with other numbers: for tests that make weights
 * random. Numbers of attention masks, sizes and the like are no weights and stay.
 */
import { fail } from "./errors.js";
import { originalBytes } from "./metadata.js";
import type { NodeProto } from "./onnx/generated/onnx_pb.js";
import { readModel, writeModel } from "./onnx/model.js";
import { readTensor } from "./onnx/tensor-proto.js";
import { elementCount, readNumbers, type Tensor, tensorOf } from "./tensor/tensor.js";

export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
  /** Position of the first node that reads it. */
  readonly node: number;
}

export interface Weights {
  /** From the input to the output of the model. */
  readonly weights: readonly Weight[];
  /** Names of the model's nodes in the order of the file, which is that of the computation. */
  readonly nodes: readonly string[];
}

const floats: readonly string[] = ["float32", "float64", "float16"];
const bytes: readonly string[] = ["int8", "uint8"];
const writable: readonly string[] = [...floats, ...bytes];
/** Operators whose constants say sizes or bounds. */
const shaping: ReadonlySet<string> = new Set(["Resize", "Upsample", "Range", "Clip", "Pad", "OneHot"]);
/** Larger numbers stand in masks. */
const largest = 1e4;

/** Throws E002 where weights lie in another file, E025 where they are of a type that cannot be written. */
export function readWeights(model: Uint8Array): Weights {
  const { graph } = readModel(originalBytes(model));
  const used = firstUses(graph!.node);
  const weights = graph!.initializer.flatMap((proto): Weight[] => {
    const node = used.get(proto.name);
    if (node === undefined || shaping.has(graph!.node[node]!.opType)) return [];
    const tensor = readTensor(proto);
    if (!isWeight(tensor)) return [];
    if (!tensor.bytes) {
      fail("E002", "", {
        at: `weight "${proto.name}"`,
        why: "it lies in another file",
        try: "a model that is one file",
      });
    }
    const values = writable.includes(tensor.type) ? readNumbers(tensor) : undefined;
    if (!values) fail("E025", `weights of type ${tensor.type}`, { at: `weight "${proto.name}"` });
    if (!values.every((value) => Math.abs(value) < largest)) return [];
    return [{ name: proto.name, dims: tensor.dims, values: Float32Array.from(values), node }];
  });
  return { weights: weights.sort((a, b) => a.node - b.node), nodes: graph!.node.map(({ name }) => name) };
}

/** The model with other values for some of its weights. Whole numbers are rounded and kept within their type. */
export function replaceWeights(model: Uint8Array, values: ReadonlyMap<string, Float32Array>): Uint8Array {
  const proto = readModel(originalBytes(model));
  for (const weight of proto.graph!.initializer) {
    const own = values.get(weight.name);
    if (!own) continue;
    const { type, dims } = readTensor(weight);
    const [low, high] = type === "uint8" ? [0, 255] : [-128, 127];
    const fitted = bytes.includes(type) ? own.map((value) => Math.max(low, Math.min(high, Math.round(value)))) : own;
    weight.rawData = tensorOf(type, Array.from(fitted), dims).bytes!;
    weight.floatData = [];
    weight.doubleData = [];
    weight.int32Data = [];
  }
  return writeModel(proto);
}

const isWeight = ({ type, dims }: Tensor): boolean =>
  elementCount(dims) > 1 && (floats.includes(type) || (dims.length > 1 && /^u?int(8|4)$|^bfloat16$/.test(type)));

function firstUses(nodes: readonly NodeProto[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const [index, { input }] of nodes.entries())
    for (const name of input) if (!first.has(name)) first.set(name, index);
  return first;
}
