import type { Start } from "../analysis.js";
import type { Region } from "../flow/field.js";
import type { AxisName } from "../flow/output.js";
import type { Completeness } from "../methods/drive.js";
import type { Execution } from "./execution.js";
import type { Explanation } from "./explanation.js";
import type { Stability } from "./stability.js";

export const schema = "vitrail/explanation@1";

export interface DocumentTarget {
  index: number | readonly number[] | null;
  label: string | null;
  logit: number | null;
  probability: number | null;
  /** Several classes weighed against each other. */
  weights?: readonly { index: number; label: string | null; weight: number }[];
  /** The token at which the class is explained, or the cell of a dense output, the query, the position. */
  at?: { token: number; text: string; start: number; end: number } | Readonly<Partial<Record<AxisName, number>>>;
  /** Where the explanation starts: at the score, or behind the file's own softmax or sigmoid. */
  from?: Start;
  /** What the input is compared with: the cosine of the two vectors, and how the input's own vector was made. */
  similarTo?: { name: string; sha256: string; similarity: number; vector: string };
}

export interface DocumentToken {
  text: string;
  /** UTF-16 indices into the original string. */
  start: number | null;
  end: number | null;
  special: boolean;
  /** Not in the vocabulary: the model read its unknown token here. */
  unknown?: true;
  value: number;
  /** Which of two texts; null for a token that the tokenizer added. */
  segment?: 0 | 1 | null;
}

export interface DocumentMap {
  kind: "tokens" | "input";
  shape: readonly number[];
  grid?: readonly [number, number];
  /** Where the grid lies, in pixels of the model's input, if not over all of it: what is beside it the model does not see. */
  region?: Region;
  values: readonly number[];
  min: number;
  max: number;
  sum: number;
  /** Relevance of the special tokens in front of a picture's patches. */
  special?: readonly number[];
}

/** The JSON of one explanation (`vitrail/explanation@1`). */
export interface ExplanationDocument {
  schema: typeof schema;
  tool: { name: string; version: string };
  model: { name: string; sha256: string } & Readonly<Record<string, unknown>>;
  input: {
    name: string;
    sha256?: string;
    kind: "picture" | "text" | "tensors";
    size?: readonly number[];
    prompts?: readonly string[];
  };
  target: DocumentTarget;
  method: { id: string; options: Readonly<Record<string, unknown>>; classSpecific: boolean };
  map: DocumentMap;
  tokens?: readonly DocumentToken[];
  /** For methods that promise what a map adds up to: its sum, and what the target's score gained from the baseline. */
  completeness?: Completeness;
  stability?: Stability;
  /** How the runtime computed: its optimiser and 8-bit sums can move a map. */
  execution?: Execution;
  timing: Readonly<Record<string, number>>;
  seed?: number;
  warnings: readonly string[];
}

/** The map of one sample: a picture's patches row by row, a text's tokens, or one value per input element. */
export function documentMap(explanation: Explanation, sample = 0): DocumentMap {
  const { kind } = explanation.metadata.relevance;
  const grid = kind === "tokens" ? explanation.toGrid(sample) : undefined;
  if (!grid) return valueMap(kind, explanation.relevance.dims.slice(1), explanation.toTokens(sample));
  const { rows, columns, values, special, region } = grid;
  const map = valueMap(kind, [rows, columns], values);
  return { ...map, grid: [rows, columns], ...(region && { region }), special: Array.from(special, shortest) };
}

/** Any values as a map. */
export function valueMap(kind: DocumentMap["kind"], shape: readonly number[], raw: ArrayLike<number>): DocumentMap {
  const values = Array.from(raw, shortest);
  return {
    kind,
    shape,
    values,
    min: extreme(values, Math.min),
    max: extreme(values, Math.max),
    sum: shortest(values.reduce((sum, value) => sum + value, 0)),
  };
}

const extreme = (values: readonly number[], pick: (a: number, b: number) => number): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => pick(a, b));

/** A float32 in the fewest digits that give the same float32 again, so that JSON stays short and loses nothing. */
export function shortest(value: number): number {
  if (!Number.isFinite(value)) return value;
  const rounded = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === rounded) return short;
  }
  return Number(value.toPrecision(9));
}
