/**
 * What a comparison of two models found, in one sentence: how many decisions are alike, and in how many cases the reasons moved.
 *
 *   moved: less than half of the most relevant units of the one map are among those of the other (top-overlap below 0.5)
 */
import { type EvaluationSummary, type ResultRow, withInterval } from "@vitrail/evaluation";

export interface Finding {
  /** Share of the cases that both models decide alike. */
  readonly alike: number;
  /** Share of the cases in which the reasons moved, by method. */
  readonly moved: Readonly<Record<string, number>>;
  readonly cases: number;
  readonly sentence: string;
}

const least = 0.5;

export function findingOf(
  rows: readonly ResultRow[],
  { methods, cells }: Pick<EvaluationSummary, "methods" | "cells">,
  before?: Finding,
): Finding | undefined {
  const judged = methods.filter((method) => cells.some((cell) => cell.method === method && !cell.baseline));
  const valuesOf = (metric: string, method: string) =>
    rows.flatMap((row) => {
      const value = row.method === method ? row.values?.[metric]?.value : undefined;
      return value === undefined ? [] : [value];
    });
  const share = (values: readonly number[], holds: (value: number) => boolean) =>
    values.filter(holds).length / values.length;
  const decisions = judged.map((method) => valuesOf("same-decision", method)).find((values) => values.length > 0);
  if (!decisions) return undefined;
  const overlap = cells.find(({ metric }) => metric.startsWith("top-overlap"))?.metric;
  const moved = Object.fromEntries(
    judged.flatMap((method) => {
      const values = overlap ? valuesOf(overlap, method) : [];
      return values.length > 0 ? [[method, share(values, (value) => value < least)]] : [];
    }),
  );
  const alike = share(decisions, (value) => value === 1);
  const percent = (value: number) => `${Math.round(100 * value)} %`;
  const was = (value: number | undefined) => (value === undefined ? "" : ` (before ${percent(value)})`);
  const several = Object.keys(moved).length > 1;
  const reasons = Object.entries(moved)
    .map(([method, value]) => `${percent(value)}${was(before?.moved[method])}${several ? ` by ${method}` : ""}`)
    .join(", ");
  const cell = cells.find(({ metric, baseline }) => metric === "same-decision" && !baseline);
  const interval = cell && Number.isFinite(cell.low) ? `; share of decisions alike ${withInterval(cell)}` : "";
  const sentence = `${percent(alike)} of decisions are alike${was(before?.alike)}${reasons && `, reasons moved in ${reasons}`} (${decisions.length} cases${interval}).`;
  return { alike, moved, cases: decisions.length, sentence };
}
