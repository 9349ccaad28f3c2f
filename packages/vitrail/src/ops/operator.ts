/**
 * Table 1: one entry per operator. An entry says which part the operator plays (its role), how shapes follow, and how a
 * cotangent is pulled back. Everything else (relevance rules, methods, printing, emission) is made from these entries.
 */
import { fail } from "../errors.js";
import { type Form, type Node, place, type Ratio, type SymbolicInts, type Value } from "../ir/graph.js";
import type { Dim } from "../tensor/dim.js";
import type { ElementType } from "../tensor/element-type.js";
import type { Shape } from "../tensor/shape.js";
import type { Builder } from "./builder.js";

/**
 * linear: data times weights · bilinear: data times data · add: data plus data · gate: data times data, element by element ·
 * affine: data with a constant · elementwise · normalization · softmax · movement: every output element is one input element
 * or a constant · mean: means and sums over tokens · rotary: a linear map fixed by positions · opaque: not differentiated.
 */
export type Role =
  | "linear"
  | "bilinear"
  | "add"
  | "gate"
  | "affine"
  | "elementwise"
  | "normalization"
  | "softmax"
  | "movement"
  | "mean"
  | "rotary"
  | "opaque";

export interface Inferred {
  readonly type: ElementType;
  readonly shape: Shape | undefined;
  readonly ints?: SymbolicInts | undefined;
  readonly number?: number | undefined;
  readonly ratio?: Ratio | undefined;
}

export interface InferContext {
  readonly node: Pick<Node, "operator" | "inputs" | "attributes" | "source">;
  /** Number of outputs that the node has in the file. */
  readonly outputs: number;
  readonly opset: number;
  /** A symbol that nobody else has, for a dimension that only the data decides. */
  readonly fresh: (hint: string) => Dim;
  /** Says that two extents are equal whenever the model runs. */
  readonly equate: (a: Dim, b: Dim) => void;
}

/** In scope of a gradient rule: inputs `x`, outputs `y`, the cotangent(s) `dy`, the builder `b`; result: one per input. */
export interface GradientContext {
  readonly node: Node;
  readonly x: readonly Value[];
  readonly y: readonly Value[];
  readonly dy: Value;
  readonly dys: readonly (Value | undefined)[];
  readonly b: Builder;
  /** Which inputs a cotangent is asked for. */
  readonly wants: readonly boolean[];
}

/** In scope of a rewriting into simpler operators. */
export interface CanonicalContext {
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  readonly b: Builder;
  readonly opset: number;
  readonly outputs: number;
}

export interface Operator {
  readonly name: string;
  readonly role: Role | ((node: Node) => Role);
  /** Types and shapes of the outputs. */
  readonly infer: (context: InferContext) => Inferred | readonly Inferred[];
  readonly gradient?: (context: GradientContext) => readonly (Value | undefined)[];
  /** A norm's gradient with what it divides by held constant: the step of LRP's norm rule (Ali et al. 2022). */
  readonly constantDeviation?: (context: GradientContext) => readonly (Value | undefined)[];
  /** The function itself, where the operator works element by element: folds constants and recognises activations. */
  readonly scalar?: (...x: number[]) => number;
  /** Every number of the result is one of the first input's, unchanged: moved, picked, repeated or cast. */
  readonly verbatim?: boolean;
  /** It sorts: where a number stands in the result says how high it is, not what it is about. */
  readonly sorts?: boolean;
  /** What it makes of scores: shares that sum to one, or their logarithms. */
  readonly shares?: "softmax" | "log-softmax";
  /** Rewrites the operator into simpler ones; its outputs then stand for the original outputs. */
  readonly canonical?: (context: CanonicalContext) => readonly (Value | undefined)[] | undefined;
  /** The canonical form of what a file writes, where that is another; `lower` writes the canonical form in an opset. */
  readonly raise?: (written: Form) => Form | undefined;
  readonly lower?: (node: Node, opset: number, b: Builder) => Form;
}

/**
 * An operator of your own, for `compile(model, { operators: [...] })`: its role decides what every method does with it.
 *
 * @param name as in the file, "Erf" or "my.domain::Cube"
 * @example
 * const Cube = defineOp("my.domain::Cube", {
 *   role: "elementwise",
 *   infer: ({ node }) => ({ type: node.inputs[0]!.type, shape: node.inputs[0]!.shape }),
 *   gradient: ({ x: [x], dy, b }) => [b.mul(dy, b.mul(3, b.square(x!)))],   // dx = 3 x² dy
 * });
 */
export const defineOp = (name: string, entry: Omit<Operator, "name">): Operator => ({ name, ...entry });

/** For what could be differentiated but is not: an error on the data path, where no rule at all would be a silent zero. */
export const notCovered = ({ node }: GradientContext): never =>
  refuseGradient(node, "the target depends on it, and its gradient is not covered");

export const refuseGradient = (
  node: Node,
  why: string,
  hint = "export the model without it, or use a method that needs no gradient",
): never => fail("E021", node.operator, { at: place(node), node: node.source, why, try: hint });

export const roleOf = (operator: Operator, node: Node): Role =>
  typeof operator.role === "function" ? operator.role(node) : operator.role;

/** Stands for an operator without an entry: harmless beside the data path, an error (E020) on it. */
export const unknownOperator = (name: string): Operator => ({
  name,
  role: "opaque",
  infer: ({ node, outputs }) => {
    // Taken for data where data goes in, whatever else does: it is then refused instead of ending the path unseen.
    const type = (node.inputs.find((v) => v?.data) ?? node.inputs[0])?.type ?? "float32";
    return Array.from({ length: outputs }, () => ({ type, shape: undefined }));
  },
});
