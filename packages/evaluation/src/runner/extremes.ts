/** The cases behind a figure: the best and the worst of each method. */
import type { Metric } from "../metric.js";
import type { ResultRow } from "./row.js";

export interface Extreme {
  readonly case: string;
  readonly method: string;
  readonly metric: string;
  readonly value: number;
  readonly kind: "best" | "worst";
}

/** Up to `count` best and `count` worst cases; no case is both. */
export function extremes(
  rows: readonly ResultRow[],
  metric: { readonly name: string; readonly direction: Metric["direction"] },
  method: string,
  count = 6,
): Extreme[] {
  const sign = metric.direction === "up" ? -1 : 1;
  const sorted = rows
    .flatMap((row) => {
      const value = row.method === method ? row.values?.[metric.name]?.value : undefined;
      return value !== undefined && Number.isFinite(value)
        ? [{ case: row.case, method, metric: metric.name, value }]
        : [];
    })
    .sort((a, b) => sign * (a.value - b.value) || (a.case < b.case ? -1 : 1));
  const size = Math.min(count, Math.floor(sorted.length / 2));
  const best = sorted.slice(0, size).map((one) => ({ ...one, kind: "best" as const }));
  const worst = sorted
    .slice(sorted.length - size)
    .reverse()
    .map((one) => ({ ...one, kind: "worst" as const }));
  return [...best, ...worst];
}
