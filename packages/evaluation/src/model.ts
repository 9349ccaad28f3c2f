import type { Random } from "./random.js";

/** What is measured: a classifier, seen as inputs to logits. `I` is the input of one sample, without a batch axis. */
export interface Model<I> {
  /** Logits per sample; an answer never depends on the other samples of its batch. */
  predict(batch: readonly I[]): Promise<readonly Float32Array[]>;
  /** How logits become probabilities; `softmax` when not said. */
  readonly activation?: Activation;
}

export type Activation = "softmax" | "sigmoid";

/** What is judged: a method that says which units (patches or tokens) of an input speak for a class. */
export interface Explainer<I> {
  readonly id: string;
  /** Raw relevance, one value per unit of the subject or, for methods that explain pixels, per pixel; special tokens left out. */
  explain(input: I, target: number): Promise<Float32Array>;
  /** Sum of relevance at each block's cut, for methods that declare conservation. */
  sums?(input: I, target: number): Promise<ArrayLike<number>>;
  /** Peak bytes of a process that opens the model and explains one input of this size. */
  bytes?(input: I): Promise<number>;
}

/** What stands where a unit was taken away. In texts it is the mask token, or with `drop` nothing; the others are for pictures. */
export type Fill = "zero" | "neutral" | "mean" | "blur" | "rise-blur" | "linear" | "drop";

/** A sample made of units that can be taken away. */
export interface Subject<I> {
  readonly input: I;
  readonly units: number;
  /** The input without the units that are marked with 1. `random` gives the noise of the `linear` fill. */
  without(gone: Uint8Array, fill: Fill, random: Random): I;
  /** The input under small uniform noise of +-`radius` times the input's range. */
  noisy?(radius: number, random: Random): I;
  /** The numbers that the model reads of an input. */
  values?(input: I): Float32Array;
  /** Rows and columns, where units lie on a grid. */
  readonly grid?: readonly [rows: number, columns: number];
  /** The same sample with pixels as units, and the ways from patch relevance to pixel relevance and back. */
  readonly pixels?: Subject<I> & {
    spread(relevance: ArrayLike<number>): Float32Array;
    pool(relevance: ArrayLike<number>): Float32Array;
    /** The input with every pixel, after normalisation, times its weight. */
    weighted?(weights: ArrayLike<number>): I;
  };
}

/** What is known to be the reason. All marks are 0 or 1. */
export interface Truth {
  /** One mark per pixel of the model's input, or per token. */
  readonly mask?: Uint8Array;
  /** Boxes in pixels of the model's input. */
  readonly boxes?: readonly Box[];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Shortened {
  readonly evidenceLost: boolean;
}

export interface Part<I> {
  /** One mark per pixel of the model's input. */
  readonly mask: Uint8Array;
  /** The input as it would be had this never been there. */
  without(): I;
}

/** One question: why did the model say `target` for this subject? */
export interface Case<I> {
  readonly id: string;
  readonly subject: Subject<I>;
  /** The class that is explained. */
  readonly target: number;
  /** The true class, or all true classes. */
  readonly label?: number | readonly number[];
  readonly truth?: Truth;
  /** Objects that can be taken out of the sample as a whole: what the model loses with them is the truth about them. */
  readonly parts?: readonly Part<I>[];
  /** Only the beginning is read, because the model takes no more; whether evidence lies behind it. */
  readonly shortened?: Shortened;
  /** Cases of one picture or sentence share a group; intervals resample groups. */
  readonly group?: string;
}

/** A map with one value per unit: relevance adds up, so that a patch has the sum of its pixels. */
export function perUnit<I>({ units, pixels }: Subject<I>, map: Float32Array): Float32Array {
  return pixels && map.length === pixels.units && map.length !== units ? pixels.pool(map) : map;
}

/** A map with one value per pixel where the subject has any: bilinear between the centres of patches. */
export function perPixel<I>({ pixels }: Subject<I>, map: Float32Array): Float32Array {
  return pixels && map.length !== pixels.units ? pixels.spread(map) : map;
}

/** How many values stand in a row of a map. */
export function columnsOf<I>({ grid, units, pixels }: Subject<I>, map: ArrayLike<number>): number {
  if (pixels && map.length === pixels.units) return pixels.grid?.[1] ?? pixels.units;
  return grid?.[1] ?? units;
}

export function probability(logits: Float32Array, target: number, activation: Activation = "softmax"): number {
  const own = logits[target]!;
  if (activation === "sigmoid") return 1 / (1 + Math.exp(-own));
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - own);
  return 1 / total;
}

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Whether the model still says `label`: its top class, or for sigmoid heads a positive logit. */
export const says = (logits: Float32Array, label: number, activation: Activation = "softmax"): boolean =>
  activation === "sigmoid" ? logits[label]! > 0 : argmax(logits) === label;
