/**
 * How much two methods agree about one input and one target, on maps in common units:
 *
 *   rank correlation   Spearman's, over all units; ties share their mean rank
 *   top overlap        |A_k ∩ B_k| / k of the k units with the most relevance for the target; chance is k / n
 *
 * Over several inputs and targets the mean is given, with the number of maps behind it.
 */
import { createRandom, descending, spearman } from "@vitrail/evaluation";
import { problem } from "../problem.js";
import type { Common } from "./units.js";

export interface Agreement {
  /** Places of the two columns. */
  readonly a: number;
  readonly b: number;
  /** Mean of Spearman's correlation, and its extremes; undefined where nothing could be compared. */
  readonly spearman: number | undefined;
  readonly lowest: number | undefined;
  readonly highest: number | undefined;
  /** Mean share of the strongest units that both name. */
  readonly overlap: number | undefined;
  /** What two maps that know nothing of each other would share. */
  readonly chance: number | undefined;
  /** Pairs of maps. */
  readonly n: number;
}

/** The default of `--top`: the strongest tenth. */
export const usualShare = 0.1;

/** How many units count as the strongest: `top` itself where it is a whole number from 1 on, else that share of them. */
export const strongest = (units: number, top: number): number =>
  Math.min(units, top >= 1 ? top : Math.max(1, Math.round(units * top)));

/** Every pair of columns, from the rows (input and target) in which both have a map. */
export function agreements(
  rows: readonly (readonly (Common | undefined)[])[],
  columns: number,
  top: number,
): Agreement[] {
  const pairs: Agreement[] = [];
  for (let a = 0; a < columns; a++) for (let b = a + 1; b < columns; b++) pairs.push(agreement(rows, a, b, top));
  return pairs;
}

function agreement(rows: readonly (readonly (Common | undefined)[])[], a: number, b: number, top: number): Agreement {
  const pairs = rows.flatMap((row) => {
    const [x, y] = [row[a], row[b]];
    return x && y && x.values.length === y.values.length && x.values.length > 1 ? [[x.values, y.values] as const] : [];
  });
  const correlations = pairs.map(([x, y]) => spearman(x, y));
  const mean = (values: readonly number[]) =>
    values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    a,
    b,
    spearman: mean(correlations),
    lowest: correlations.length === 0 ? undefined : Math.min(...correlations),
    highest: correlations.length === 0 ? undefined : Math.max(...correlations),
    overlap: mean(pairs.map(([x, y]) => topOverlap(x, y, strongest(x.length, top)))),
    chance: mean(pairs.map(([x]) => strongest(x.length, top) / x.length)),
    n: pairs.length,
  };
}

/** |A_k ∩ B_k| / k. Equal values fall in a random but fixed order, so that no map gains from where its ties lie. */
export function topOverlap(a: ArrayLike<number>, b: ArrayLike<number>, k: number): number {
  const inA = new Set(descending(a, createRandom("top", 0)).subarray(0, k));
  const inB = descending(b, createRandom("top", 1)).subarray(0, k);
  return inB.reduce((count, unit) => count + (inA.has(unit) ? 1 : 0), 0) / k;
}

export function readTop(text: string | undefined): number {
  if (text === undefined) return usualShare;
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && (value < 1 || Number.isInteger(value))) return value;
  const why = "it is neither a whole number from 1 on nor a share between 0 and 1";
  throw problem("E080", { at: `--top ${text}`, why, try: "--top 10 or --top 0.1" });
}
