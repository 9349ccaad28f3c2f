/**
 * What a driven method sees: one sample, and two ways to ask the model about it. Masks take parts of the sample away and need the
 * forward pass alone; gradients are taken at other points than the sample. Runs are batched, counted and cancelled by the runtime.
 */
import type { Region } from "../flow/field.js";
import type { OptionValues } from "./method.js";

/** The parts of a sample that can be taken away: cells of a picture, tokens of a text, positions of any other sequence. */
export interface Units {
  readonly count: number;
  /** Rows and columns, for pictures. */
  readonly grid?: readonly [rows: number, columns: number] | undefined;
  /** The part of the picture that they lie over, where they are patches that do not see all of it. */
  readonly region?: Region | undefined;
  /** Units that may go; special tokens and padding always stay. */
  readonly removable: readonly number[];
  /** Whether a unit can go in part (pixels and vectors) or only as a whole (token ids). */
  readonly partial: boolean;
}

export interface DriveContext {
  readonly options: OptionValues;
  /** The explained number of the sample as it is: the target's logit, or the weighted sum of the outputs. */
  readonly score: number;
  readonly units: Units;
  /**
   * Scores under `count` masks; `keep(i)` holds one number per unit, 1 where it stays and 0 where it goes. Masks must not depend on
   * the score: several targets share the runs.
   */
  readonly scores: (count: number, keep: (i: number) => Float32Array) => Promise<Float64Array>;
  /** The point is embeddings: the map is summed over their numbers, token by token. */
  readonly embedded: boolean;
  /** The explained input, or the embeddings of its ids: where the gradient of the program is taken. */
  readonly point: () => Promise<Float32Array>;
  /** Gradients of the score at `count` points, in order. */
  readonly gradients: (
    count: number,
    at: (i: number) => Float32Array,
    take: (gradient: Float32Array, i: number) => void,
  ) => Promise<void>;
  /** The score at another point. */
  readonly scoreAt: (point: Float32Array) => Promise<number>;
}

export interface Driven {
  /** One value per unit (`kind` "tokens"), or per element of the point ("input"). */
  readonly relevance: Float32Array;
  readonly completeness?: Completeness;
}

/** How far a map adds up to what it should add up to. */
export interface Completeness {
  /** Sum of the map. */
  readonly sum: number;
  /** Score of the sample less that of the baseline. */
  readonly difference: number;
  /** |sum - difference| / |difference| */
  readonly error: number;
}
