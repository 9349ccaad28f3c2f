/** What the printed form says, as plain data: `print.ts` writes it, `parse.ts` reads it back. */
import type { ModelGraph } from "../../canonicalize/model-graph.js";
import type { Attribute } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { shortName } from "../../tensor/element-type.js";
import type { Shape } from "../../tensor/shape.js";
import { elementCount, readNumbers, type Tensor } from "../../tensor/tensor.js";
import type { Patch } from "../patch.js";
import { sha256 } from "../sha256.js";

export interface GraphText {
  readonly opset: number;
  readonly inputs: readonly Declared[];
  readonly outputs: readonly PublicOutput[];
  /** What nodes read and no node makes: weights and tables of the file. */
  readonly constants: readonly { readonly name: ValueName; readonly constant: ConstantText }[];
  /** The original graph first, then what was added, producers first. */
  readonly nodes: readonly NodeText[];
}

/** The name that the file or the patch gives a value; a number where it has none. */
export type ValueName = string | number;

export interface TypeText {
  /** As in `f32`, `i64`, `bool`. */
  readonly element: string;
  /** Numbers, or dimensions as text; absent where the rank is not known. */
  readonly dims?: readonly (number | string)[];
}

export interface Declared {
  readonly name: ValueName;
  readonly type: TypeText;
}

/** A public name, and the value that it is given to: its own where the file has no other for it. */
export interface PublicOutput extends Declared {
  readonly value: ValueName;
}

/** Small tensors show their numbers, large ones without a name a digest; the rest stands in the file under its name. */
export interface ConstantText extends TypeText {
  readonly values?: readonly Numeral[];
  /** The first 16 digits of the SHA-256 of the bytes. */
  readonly digest?: string;
}

/** 64-bit integers beyond what a double holds are `bigint`. */
export type Numeral = number | bigint;

/** A graph in an attribute is told by its number of nodes. */
export interface SubgraphText {
  readonly nodes: number;
}

export type AttributeText = number | string | readonly (number | string)[] | ConstantText | SubgraphText;

export interface NodeText {
  /** "" in the original graph, else the pass that made it. */
  readonly pass: string;
  readonly outputs: readonly Declared[];
  readonly operator: string;
  readonly inputs: readonly (ValueName | ConstantText | undefined)[];
  readonly attributes: Readonly<Record<string, AttributeText>>;
}

/** Tensors of up to so many elements show them. */
const SHOWN = 8;

export function describeGraph(graph: ModelGraph, patch?: Patch): GraphText {
  const nameOf = (v: Value): ValueName => v.name ?? patch?.names.get(v) ?? v.id;
  const own = ({ name, value }: { readonly name: string; readonly value: Value }) => [name, value] as const;
  const inputs = [...graph.inputs, ...(patch?.inputs ?? []).map(own)];
  const outputs = [...graph.outputs, ...(patch?.outputs ?? []).map(own)];
  const original = graph.builder.nodes
    .filter(({ pass }) => pass === "")
    .map((node) => ({ ...(node.written ?? node), node, pass: "" }));
  const added = (patch?.nodes ?? []).map((lowered) => ({ ...lowered, pass: lowered.node.pass || "canonical" }));
  const all = [...original, ...added];
  const made = new Set([...inputs.map(([, v]) => v), ...all.flatMap(({ node }) => node.outputs)]);

  const constants = new Map<ValueName, ConstantText>();
  const refer = (v: Value): ValueName => {
    const name = nameOf(v);
    if (!made.has(v)) constants.set(name, v.constant ? constantOf(v.constant, true) : typeOf(v));
    return name;
  };
  const operand = (v: Value | undefined): ValueName | ConstantText | undefined =>
    v?.constant && v.name === undefined && !made.has(v) ? constantOf(v.constant) : v && refer(v);
  const nodes = all.map(({ node, pass, inputs: read, attributes }) => ({
    pass,
    outputs: node.outputs.map((v) => ({ name: nameOf(v), type: typeOf(v) })),
    operator: node.operator,
    inputs: read.map(operand),
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)])),
  }));
  return {
    opset: graph.opset,
    inputs: inputs.map(([name, v]) => ({ name, type: typeOf(v) })),
    outputs: outputs.map(([name, v]) => ({ name, value: refer(v), type: typeOf(v) })),
    constants: [...constants].map(([name, constant]) => ({ name, constant })),
    nodes,
  };
}

const typeOf = ({ type, shape }: { readonly type: Value["type"]; readonly shape: Shape | undefined }): TypeText => ({
  element: shortName(type),
  ...(shape && { dims: shape.map((d) => (typeof d === "number" ? d : d.key)) }),
});

function constantOf(tensor: Tensor, named = false): ConstantText {
  const type = typeOf({ type: tensor.type, shape: tensor.dims });
  if (!tensor.bytes) return type;
  const values = elementCount(tensor.dims) <= SHOWN ? numeralsOf(tensor) : undefined;
  if (values) return { ...type, values };
  return named ? type : { ...type, digest: sha256(tensor.bytes).slice(0, 16) };
}

function numeralsOf({ type, dims, bytes }: Tensor): readonly Numeral[] | undefined {
  if (!bytes || (type !== "int64" && type !== "uint64")) return readNumbers({ type, dims, bytes });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = (i: number) => (type === "int64" ? view.getBigInt64(8 * i, true) : view.getBigUint64(8 * i, true));
  return Array.from({ length: elementCount(dims) }, (_, i) => integer(read(i)));
}

/** As a number where that is exact. */
export const integer = (x: bigint): Numeral => (Number.isSafeInteger(Number(x)) ? Number(x) : x);

/** As it is printed: a FLOAT is the float32 of the file. */
export function attributeOf({ kind, value }: Attribute): AttributeText {
  switch (kind) {
    case "float":
      return Math.fround(value);
    case "floats":
      return value.map(Math.fround);
    case "tensor":
      return constantOf(value);
    case "graph":
      return { nodes: value.node.length };
    default:
      return value;
  }
}
