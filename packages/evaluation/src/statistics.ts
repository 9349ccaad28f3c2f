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

/** Rows of each group. */
function membersOf(groups: readonly string[]): number[][] {
  const byGroup = new Map<string, number[]>();
  groups.forEach((group, row) => {
    const members = byGroup.get(group);
    if (members) members.push(row);
    else byGroup.set(group, [row]);
  });
  return [...byGroup.values()];
}

/** Percentile interval of `statistic` over resampled groups. `statistic` gets group numbers, repeats included. */
function resample(groups: number, statistic: (chosen: Uint32Array) => number, options: BootstrapOptions): Interval {
  const { seed = 0, resamples = 2000, confidence = 0.95 } = options;
  const random = createRandom(seed, "bootstrap", groups);
  const chosen = new Uint32Array(groups);
  const values = Float64Array.from({ length: resamples }, () => {
    for (let i = 0; i < groups; i++) chosen[i] = random.int(groups);
    return statistic(chosen);
  }).sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(values, tail), high: quantile(values, 1 - tail) };
}

/** The interval of any statistic of rows, repeats included. */
export function bootstrap(
  groups: readonly string[],
  statistic: (rows: readonly number[]) => number,
  options: BootstrapOptions = {},
): Interval {
  const members = membersOf(groups);
  return resample(
    members.length,
    (chosen) => statistic(Array.from(chosen, (group) => members[group]!).flat()),
    options,
  );
}

/** The interval of a mean, from each group's sum and size: the same draws, much faster. */
export function bootstrapMean(
  groups: readonly string[],
  values: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  const members = membersOf(groups);
  const sums = members.map((rows) => rows.reduce((total, row) => total + values[row]!, 0));
  const mean = (chosen: Uint32Array) => {
    let [total, size] = [0, 0];
    for (const group of chosen) {
      total += sums[group]!;
      size += members[group]!.length;
    }
    return total / size;
  };
  return resample(members.length, mean, options);
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
  const interval = metric.summarise
    ? bootstrap(
        groups,
        (chosen) =>
          summariseRows(
            metric,
            chosen.map((row) => all[row]!),
          ),
        options,
      )
    : bootstrapMean(
        groups,
        all.map(({ value }) => value),
        options,
      );
  return { value: summariseRows(metric, all), ...interval, n: rows.length, groups: new Set(groups).size };
}

/** Difference a - b on the same cases, with a paired interval. Rows must be aligned. */
export function compare(metric: Metric, a: readonly Row[], b: readonly Row[], options: BootstrapOptions = {}): Summary {
  if (a.length !== b.length) throw new RangeError("a paired comparison needs the same cases on both sides");
  const groups = a.map((row) => row.group);
  const figure = (rows: readonly Row[], chosen: readonly number[]) =>
    summariseRows(
      metric,
      chosen.map((row) => rows[row]!.measurement),
    );
  const difference = (chosen: readonly number[]) => figure(a, chosen) - figure(b, chosen);
  const interval = metric.summarise
    ? bootstrap(groups, difference, options)
    : bootstrapMean(
        groups,
        a.map((row, i) => row.measurement.value - b[i]!.measurement.value),
        options,
      );
  return { value: difference(a.map((_, row) => row)), ...interval, n: a.length, groups: new Set(groups).size };
}

/** Groups of metrics in which a random map is the measure of nothing; elsewhere (a sparse or stable map) it is no yardstick. */
export const measuredAgainstChance = (metric: Metric): boolean =>
  metric.group === "faithfulness" || metric.group === "localisation" || metric.group === "agreement";

/** Whether a difference to `random` is an improvement beyond its interval. */
export const separates = (metric: Metric, difference: Interval): boolean =>
  metric.direction === "up" ? difference.low > 0 : difference.high < 0;
