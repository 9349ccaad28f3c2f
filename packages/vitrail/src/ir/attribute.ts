/**
 * Attributes of a node, with the kind that the file gives them: `alpha` 1 of a `Gelu` is a FLOAT, `axis` 1 an INT, and a runtime opens
 * neither as the other. The kind goes along from the import to the writer.
 */
import { fail } from "../errors.js";
import type { GraphProto } from "../onnx/generated/onnx_pb.js";
import type { Tensor } from "../tensor/tensor.js";

export interface AttributeKinds {
  readonly int: number;
  readonly float: number;
  readonly string: string;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly strings: readonly string[];
  readonly tensor: Tensor;
  readonly graph: GraphProto;
}
export type AttributeKind = keyof AttributeKinds;
export type Attribute<K extends AttributeKind = AttributeKind> = {
  readonly [P in K]: { readonly kind: P; readonly value: AttributeKinds[P] };
}[K];
export type Attributes = Readonly<Record<string, Attribute>>;

/** As passes write them: a bare number is an INT, a bare list INTS, a bare text STRING; a FLOAT is `asFloat(0.5)`. */
export type GivenAttributes = Readonly<Record<string, Attribute | number | string | readonly number[]>>;

export const asFloat = (value: number): Attribute<"float"> => ({ kind: "float", value });

export function typed(given: GivenAttributes): Attributes {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]): [string, Attribute] => {
      if (typeof value === "number") return [name, { kind: "int", value }];
      if (typeof value === "string") return [name, { kind: "string", value }];
      return [name, "kind" in value ? value : { kind: "ints", value }];
    }),
  );
}

/** What holds attributes: a node, or the head of one that is not made yet. */
export interface Attributed {
  readonly attributes: Attributes;
  readonly operator?: string;
  readonly source?: string;
}

/** The value of an attribute; undefined where the node does not have it. E001 where the file gives it another kind. */
function read<K extends AttributeKind>(node: Attributed, name: string, kind: K): AttributeKinds[K] | undefined {
  const attribute = node.attributes[name];
  if (!attribute) return undefined;
  if (attribute.kind === kind) return attribute.value as AttributeKinds[K];
  return misfit(node, `its attribute "${name}" is of kind ${attribute.kind}, and the operator has it as ${kind}`);
}

/** The value of an attribute without which the operator has no meaning; E001 where the node does not have it. */
export const required = <K extends AttributeKind>(node: Attributed, name: string, kind: K): AttributeKinds[K] =>
  read(node, name, kind) ?? misfit(node, `it has no attribute "${name}"`);

function misfit({ source, operator }: Attributed, why: string): never {
  return fail("E001", "", {
    at: `node "${source || "?"}"${operator ? ` (${operator})` : ""}`,
    ...(source && { node: source }),
    why,
    try: "check the file with onnx.checker",
  });
}

type Reader<T> = { (node: Attributed, name: string): T | undefined; (node: Attributed, name: string, otherwise: T): T };
const reader = <K extends AttributeKind>(kind: K) =>
  ((node: Attributed, name: string, otherwise?: AttributeKinds[K]) => read(node, name, kind) ?? otherwise) as Reader<
    AttributeKinds[K]
  >;

export const int = reader("int");
export const float = reader("float");
export const text = reader("string");
export const ints = reader("ints");
export const floats = reader("floats");
export const tensor = reader("tensor");
export const graph = reader("graph");
/** An INT that means yes or no. */
export const flag = (node: Attributed, name: string, otherwise = false): boolean =>
  int(node, name, otherwise ? 1 : 0) !== 0;
