/**
 * Samples of operators for the conformance suite. A sample is one node: operands, attributes and the opsets that know this
 * form. The suite compares shapes and types (static and symbolic), folded integers and gradients with the runtime.
 *
 *     export const samples: Samples = {
 *       Softmax: [{ title: "axis 1", inputs: [data([2, 3, 4])], attributes: { axis: 1 }, opsets: [11, 17] }],
 *     };
 */
import type { ModelAttributes } from "../../../../test/support/model.js";
import type { ElementType } from "../../src/tensor/element-type.js";

export { real } from "../../../../test/support/model.js";

export interface Operand {
  /**
   * data: a float graph input, differentiated · weight: a float constant of the file · constant: a constant of a fixed type ·
   * fed: a graph input that is not differentiated (ids, masks, lengths).
   */
  readonly kind: "data" | "weight" | "constant" | "fed";
  /** Floats without a type are float64 where the runtime has the kernel, else float32. */
  readonly type?: ElementType;
  readonly dims: readonly number[];
  /** Drawn between `low` and `high` in magnitude, with random signs (or `positive` ones), where not given. */
  readonly values?: readonly number[];
  readonly low?: number;
  readonly high?: number;
  readonly positive?: boolean;
  /** Axes that stay numbers in the symbolic run (all axes of extent 1 do, and those of constants). */
  readonly fixed?: readonly number[];
}

export interface Sample {
  /** What is special about it. */
  readonly title?: string;
  /** undefined: an optional input that is left out. */
  readonly inputs: readonly (Operand | undefined)[];
  readonly attributes?: ModelAttributes | undefined;
  readonly outputs?: number;
  /** Operator sets that know this form; default [17]. */
  readonly opsets?: readonly number[];
  /**
   * "refused": asking for a gradient must throw a VitrailError (a form that is not covered). "none": the operator is beside
   * the data path. Default: compared with central differences for every `data` operand.
   */
  readonly gradient?: "refused" | "none";
  /** "unknown": extents that only the data decide; rank and known extents must still agree. "refused": compiling throws. */
  readonly shape?: "unknown" | "refused";
  /** False: no symbolic run (the form needs its extents). "loose": extents may stay unknown in it. */
  readonly symbolic?: false | "loose";
  /** The integers of the result must be known to the compiler (all operands are then constants). */
  readonly folds?: true;
  /** Relative bounds where the default (1e-6 in float64, 3e-3 in float32) does not fit; say why in the title. */
  readonly tolerance?: number;
  /** Only in float32, although kernels for float64 exist (they differ, or a constant is float32). */
  readonly single?: true;
}

export type Samples = Readonly<Record<string, readonly Sample[]>>;

type Options = Omit<Operand, "kind" | "dims">;

export const data = (dims: readonly number[], options: Options = {}): Operand => ({ kind: "data", dims, ...options });
export const weight = (dims: readonly number[], options: Options = {}): Operand => ({
  kind: "weight",
  dims,
  ...options,
});
const shaped = (values: number | readonly number[], dims?: readonly number[]) =>
  typeof values === "number" ? { values: [values], dims: dims ?? [] } : { values, dims: dims ?? [values.length] };
export const constant = (type: ElementType, values: number | readonly number[], dims?: readonly number[]): Operand => ({
  kind: "constant",
  type,
  ...shaped(values, dims),
});
export const fed = (
  type: ElementType,
  values: number | readonly number[],
  dims?: readonly number[],
  options: Options = {},
): Operand => ({ kind: "fed", type, ...shaped(values, dims), ...options });
/** An int64 constant. */
export const ints = (values: number | readonly number[], dims?: readonly number[]): Operand =>
  constant("int64", values, dims);
/** A float constant with given values, in the type of the data. */
export const number = (values: number | readonly number[], dims?: readonly number[]): Operand => ({
  kind: "weight",
  ...shaped(values, dims),
});
