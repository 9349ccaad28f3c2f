/**
 * The graph that every pass works on. One `Value` per tensor, one `Node` per operator; a value knows its producer.
 *
 * A value is *visible* when the original file computes it under a name that appended nodes may use. Everything else (the
 * inside of a fused operator, and all that Vitrail adds) is computed only if something that is asked for needs it, so the
 * emitted patch never holds a dead node.
 */
import type { Dim } from "../tensor/dim.js";
import { type ElementType, isInteger } from "../tensor/element-type.js";
import type { Shape } from "../tensor/shape.js";
import { elementCount, readNumbers, type Tensor } from "../tensor/tensor.js";
import type { Attributes } from "./attribute.js";

/** A small integer (or boolean) tensor whose entries are known, possibly as symbolic dimensions. */
export interface SymbolicInts {
  readonly dims: readonly number[];
  readonly entries: readonly Dim[];
}

/** A size divided by a number, on its way to being rounded to whole patches. */
export interface Ratio {
  readonly over: Dim;
  readonly by: number;
}

/** What a node reads, in one of its forms: the canonical one, or the one that an operator set writes. */
export interface Form {
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
}

export interface Node {
  /** ONNX operator type; with its domain where that is not the default one: "com.microsoft::BiasGelu". */
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** As the file has it, where the canonical form differs. */
  readonly written?: Form | undefined;
  /** Name of the node in the file, or of the node that this one was made for. */
  readonly source: string;
  /** Which pass made it: "" for the original graph, else "canonical", "gradient", "relevance", "aggregate" ... */
  readonly pass: string;
  /** Creation order: inputs are always created before the nodes that use them. */
  readonly order: number;
}

export class Value {
  producer: Node | undefined;
  /** Name in the original file, where the value is visible to appended nodes. */
  name: string | undefined;
  /** What to compute instead when this value itself would be expensive to recompute (`x W` as `y - bias`). */
  emitAs: Value | undefined;
  /** What is computed in place of this value in any case, where only the compiler knows what the value is. */
  writtenAs: Value | undefined;
  constant: Tensor | undefined;
  ints: SymbolicInts | undefined;
  /** The number of a single-element floating-point constant. */
  number: number | undefined;
  /** What a single floating-point number is that exporters compute from a size. */
  ratio: Ratio | undefined;
  /** A floating-point value that depends on a float input or on an embedding looked up by input ids. */
  data = false;
  /** Depends on the content (not only the shape) of a graph input. */
  dependent = false;
  /** The embedding table and the ids, where this value is a lookup. */
  lookup: { readonly table: Value; readonly ids: Value } | undefined;
  /** The graph input of whole numbers, where this value is its pixels as floating-point numbers: data begins here. */
  pixels: Value | undefined;

  constructor(
    readonly id: number,
    readonly type: ElementType,
    public shape: Shape | undefined,
  ) {}

  get rank(): number | undefined {
    return this.shape?.length;
  }
}

/** Integers of a value, where they are known; constants are read on demand (at most 64 entries). */
export function intsOf(value: Value | undefined): SymbolicInts | undefined {
  if (!value) return undefined;
  if (value.ints || !value.constant) return value.ints;
  if (!isInteger(value.type) && value.type !== "bool") return undefined;
  const entries = readNumbers(value.constant, 64);
  if (entries) value.ints = { dims: value.constant.dims, entries };
  return value.ints;
}

/** As plain numbers; undefined where one of them is unknown or symbolic. */
export function numbersOf(value: Value | undefined): readonly number[] | undefined {
  const ints = intsOf(value);
  return ints?.entries.every((e) => typeof e === "number") ? (ints.entries as readonly number[]) : undefined;
}

/** The number of a single-element float constant. */
export function numberOf(value: Value | undefined): number | undefined {
  if (!value || value.number !== undefined || !value.constant) return value?.number;
  if (elementCount(value.constant.dims) !== 1) return undefined;
  value.number = readNumbers(value.constant)?.[0];
  return value.number;
}

/** Inputs of a node that carry data. */
export const dataInputs = (node: Node): Value[] => node.inputs.filter((v): v is Value => v?.data === true);

/** Where a node stands, for messages. */
export const place = (node: Node): string => `node "${node.source || node.outputs[0]?.name || "?"}" (${node.operator})`;
