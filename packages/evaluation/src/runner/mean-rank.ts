/**
 * Methods over several evaluations (models, data sets, metrics): mean ranks, and whether they differ at all.
 *
 *   rank 1 is best in an evaluation, equal figures share their mean rank; N evaluations, k methods, R_j the mean ranks
 *   Friedman:  chi = 12 N / (k (k + 1)) * ( sum_j R_j^2 - k (k + 1)^2 / 4 ), divided by what ties take away
 *   Nemenyi:   two methods differ where their mean ranks differ by more than q(k) sqrt( k (k + 1) / (6 N) )
 *
 * Demsar. Statistical Comparisons of Classifiers over Multiple Data Sets. JMLR 2006.
 */
import { ranks } from "../rank.js";
import { normalShare } from "../statistics/distribution.js";
import type { EvaluationSummary } from "./summary.js";

export interface MeanRanks {
  /** The best mean rank first. */
  readonly methods: readonly { readonly method: string; readonly rank: number }[];
  /** What was ranked: evaluations with a figure of every method. */
  readonly over: readonly string[];
  readonly friedman: { readonly statistic: number; readonly p: number };
  /** Mean ranks that lie closer are not told apart. */
  readonly criticalDifference: number;
  /** Left out, each with the reason. */
  readonly leftOut: readonly string[];
}

/** Ranks the methods that all summaries have; one row per summary and metric (or per metric that was asked for). */
export function meanRanks(
  named: readonly { readonly name: string; readonly summary: EvaluationSummary }[],
  wanted?: readonly string[],
): MeanRanks {
  const judged = ({ cells, methods }: EvaluationSummary) =>
    methods.filter((method) => cells.some((cell) => cell.method === method && !cell.baseline));
  const methods = judged(named[0]!.summary).filter((method) =>
    named.every(({ summary }) => judged(summary).includes(method)),
  );
  const leftOut: string[] = [];
  const over: string[] = [];
  const rows: number[][] = [];
  for (const { name, summary } of named) {
    for (const { name: metric, direction, group } of summary.metrics) {
      if (wanted ? !wanted.includes(metric) : group === "cost") continue;
      const figures = methods.map(
        (method) => summary.cells.find((cell) => cell.metric === metric && cell.method === method)?.value ?? Number.NaN,
      );
      if (!figures.every(Number.isFinite)) leftOut.push(`${name}, ${metric}: not measured for every method`);
      else {
        over.push(`${name}, ${metric}`);
        rows.push(figures.map((value) => (direction === "up" ? -value : value)));
      }
    }
  }
  const found = rankRows(rows, methods.length);
  const order = methods.map((method, i) => ({ method, rank: found.ranks[i]! })).sort((a, b) => a.rank - b.rank);
  return { methods: order, over, friedman: found.friedman, criticalDifference: found.criticalDifference, leftOut };
}

/** The same of figures by evaluation and method, less being better. */
export function rankRows(rows: readonly (readonly number[])[], k: number) {
  const n = rows.length;
  const ranked = rows.map((row) => ranks(row));
  const mean = Array.from({ length: k }, (_, j) => ranked.reduce((total, row) => total + row[j]!, 0) / n);
  const raw =
    ((12 * n) / (k * (k + 1))) * (mean.reduce((total, rank) => total + rank * rank, 0) - (k * (k + 1) ** 2) / 4);
  // Equal figures: for each run of t of them t^3 - t.
  const ties = rows.reduce((total, row) => {
    const counts = new Map<number, number>();
    for (const value of row) counts.set(value, (counts.get(value) ?? 0) + 1);
    return total + [...counts.values()].reduce((sum, t) => sum + t ** 3 - t, 0);
  }, 0);
  const correction = 1 - ties / (n * (k ** 3 - k));
  const statistic = correction > 0 ? raw / correction : 0;
  return {
    ranks: mean,
    friedman: { statistic, p: chiAbove(statistic, k - 1) },
    criticalDifference: studentizedRange(k) * Math.sqrt((k * (k + 1)) / (6 * n)),
  };
}

/** Share of a chi-squared variable above a value: the upper incomplete gamma function by its recurrence in the degrees of freedom. */
export function chiAbove(value: number, freedom: number): number {
  if (value <= 0) return 1;
  const half = value / 2;
  let share = freedom % 2 === 0 ? Math.exp(-half) : 2 * (1 - normalShare(Math.sqrt(value)));
  let term = freedom % 2 === 0 ? Math.exp(-half) : (Math.exp(-half) * Math.sqrt(half)) / (Math.sqrt(Math.PI) / 2);
  for (let at = freedom % 2 === 0 ? 2 : 1; at < freedom; at += 2) {
    if (at > 1) term *= half / (at / 2);
    share += term;
  }
  return Math.min(1, share);
}

/** The 95 % point of the studentised range of k normal variables, over sqrt(2): its distribution integrated and bisected. */
export function studentizedRange(k: number, share = 0.95): number {
  const below = (range: number) => {
    let total = 0;
    const step = 0.02;
    for (let z = -8; z <= 8; z += step) {
      const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
      total += density * (normalShare(z) - normalShare(z - range)) ** (k - 1) * step;
    }
    return k * total;
  };
  let [low, high] = [0, 20];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (below(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2 / Math.SQRT2;
}
