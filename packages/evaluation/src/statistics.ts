/** Intervals and comparisons over a data set: the bootstrap resamples groups (pictures or sentences), all methods alike. */
import type { Measurement, Metric } from "./metric.js";
import { createRandom, type Seed } from "./random.js";
import { mean, quantile } from "./rank.js";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Row {
  readonly group: string;
  readonly measurement: Measurement;
}

export const summariseRows = (metric: Metric, rows: readonly Measurement[]): number =>
  metric.summarise?.(rows) ?? mean(rows.map((row) => row.value));

export interface BootstrapOptions {
  readonly seed?: Seed;
  /** Resamples; 2000 when not said. */
  readonly resamples?: number;
  /** Share of resamples inside the interval; 0.95 when not said. */
  readonly confidence?: number;
}

/** Percentile interval of `statistic` over resampled groups. `statistic` gets row numbers, repeats included. */
export function bootstrap(
  groups: readonly string[],
  statistic: (rows: readonly number[]) => number,
  { seed = 0, resamples = 2000, confidence = 0.95 }: BootstrapOptions = {},
): Interval {
  const byGroup = new Map<string, number[]>();
  groups.forEach((group, row) => {
    byGroup.set(group, [...(byGroup.get(group) ?? []), row]);
  });
  const members = [...byGroup.values()];
  const random = createRandom(seed, "bootstrap", groups.length);
  const values = new Float64Array(resamples);
  for (let sample = 0; sample < resamples; sample++) {
    const rows: number[] = [];
    for (let i = 0; i < members.length; i++) rows.push(...members[random.int(members.length)]!);
    values[sample] = statistic(rows);
  }
  values.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(values, tail), high: quantile(values, 1 - tail) };
}

export interface Summary extends Interval {
  readonly value: number;
  readonly n: number;
  readonly groups: number;
}

/** The figure of one method under one metric, with its interval. */
export function summarise(metric: Metric, rows: readonly Row[], options: BootstrapOptions = {}): Summary {
  const all = rows.map((row) => row.measurement);
  const groups = rows.map((row) => row.group);
  const interval = bootstrap(
    groups,
    (chosen) =>
      summariseRows(
        metric,
        chosen.map((row) => all[row]!),
      ),
    options,
  );
  return { value: summariseRows(metric, all), ...interval, n: rows.length, groups: new Set(groups).size };
}

/** Difference a - b on the same cases, with a paired interval. Rows must be aligned. */
export function compare(metric: Metric, a: readonly Row[], b: readonly Row[], options: BootstrapOptions = {}): Summary {
  if (a.length !== b.length) throw new RangeError("a paired comparison needs the same cases on both sides");
  const figure = (rows: readonly Row[], chosen: readonly number[]) =>
    summariseRows(
      metric,
      chosen.map((row) => rows[row]!.measurement),
    );
  const groups = a.map((row) => row.group);
  const difference = (chosen: readonly number[]) => figure(a, chosen) - figure(b, chosen);
  const interval = bootstrap(groups, difference, options);
  return { value: difference(a.map((_, row) => row)), ...interval, n: a.length, groups: new Set(groups).size };
}

/** Whether a difference to `random` is an improvement beyond its interval. */
export const separates = (metric: Metric, difference: Interval): boolean =>
  metric.direction === "up" ? difference.low > 0 : difference.high < 0;
