import { TextError } from "./errors.js";

/** How the values that a token has in several windows become one. */
export type MergeRule =
  /** The window in which the token stands furthest from a cut: there the model saw most around it. The default. */
  | "context"
  /** The mean of all windows the token is in. */
  | "mean";

/** The values of one row of an `Encoding`, with the row's own `places`, `from` and `to`. */
export interface RowValues {
  readonly places: readonly number[];
  readonly from: number;
  readonly to: number;
  /** One value per token of the row, padding cut off. */
  readonly values: ArrayLike<number>;
  /** Multiplies the values of this row, e.g. its probability for the target. Default 1. */
  readonly weight?: number;
}

/**
 * Merges the relevance of windows into one value per token of `Encoding.whole`. Every window explains its own prediction, so
 * values of different windows are comparable only as far as those predictions are. Tokens that every window repeats (the
 * template's, the shorter text of a pair) get their mean.
 */
export function mergeWindows(rows: readonly RowValues[], rule: MergeRule = "context"): Float64Array {
  let count = 0;
  for (const { places } of rows) for (const place of places) count = Math.max(count, place + 1);
  const begin = Math.min(...rows.map((row) => row.from));
  const finish = Math.max(...rows.map((row) => row.to));
  const merged = new Float64Array(count);
  const hits = new Float64Array(count);
  const margins = new Float64Array(count).fill(-1);
  for (const { places, from, to, values, weight = 1 } of rows) {
    if (places.length !== values.length) {
      throw new TextError(
        "T005",
        `${places.length} tokens but ${values.length} values in a row`,
        "cut the padding off first (see `rowsOf`)",
      );
    }
    for (const [i, place] of places.entries()) {
      const value = values[i]! * weight;
      if (rule === "mean" || place < from || place >= to) {
        merged[place]! += (value - merged[place]!) / ++hits[place]!;
        continue;
      }
      // The ends of the text are no cuts.
      const left = from === begin ? count : place - from;
      const right = to === finish ? count : to - 1 - place;
      const margin = Math.min(left, right);
      if (margin > margins[place]!) {
        margins[place] = margin;
        merged[place] = value;
      }
    }
  }
  return merged;
}
