/** Figures of a data set with their intervals, and paired comparisons; all methods meet the same draws. */
import type { Measurement, Metric } from "./metric.js";
import { mean } from "./rank.js";
import {
  type BootstrapOptions,
  bca,
  clustersOf,
  type Interval,
  membersOf,
  type NamedInterval,
  pairedShare,
  studentised,
  wilson,
} from "./statistics/interval.js";
import { permutationP } from "./statistics/permutation.js";

export * from "./statistics/distribution.js";
export * from "./statistics/interval.js";
export * from "./statistics/permutation.js";

export interface Row {
  readonly group: string;
  readonly measurement: Measurement;
}

export const summariseRows = (metric: Metric, rows: readonly Measurement[]): number =>
  metric.summarise?.(rows) ?? mean(rows.map((row) => row.value));

export interface Summary extends NamedInterval {
  readonly value: number;
  readonly n: number;
  readonly groups: number;
}

/** A paired difference. */
export interface Difference extends Summary {
  /** Of the hypothesis that there is none. */
  readonly p: number;
  /** Cohen's d of paired data: the mean difference of groups in their standard deviations; 0 where nothing differs, infinite where all differ alike. */
  readonly effect: number;
}

/** Whether values are hits: the metric says so, or both 0 and 1 and nothing else was seen. */
const areHits = (metric: Metric, values: readonly number[]): boolean =>
  metric.hits === true ||
  (values.includes(0) && values.includes(1) && values.every((value) => value === 0 || value === 1));

/** The figure of one method under one metric, with its interval. */
export function summarise(metric: Metric, rows: readonly Row[], options: BootstrapOptions = {}): Summary {
  const all = rows.map((row) => row.measurement);
  const groups = rows.map((row) => row.group);
  const pooled = (chosen: readonly number[]) =>
    summariseRows(
      metric,
      chosen.map((row) => all[row]!),
    );
  const values = all.map(({ value }) => value);
  const clusters = clustersOf(groups, values);
  const interval = metric.summarise
    ? bca(groups, pooled, options)
    : areHits(metric, values)
      ? wilson(clusters, options)
      : within(metric.range, studentised(clusters, options));
  return { value: summariseRows(metric, all), ...interval, n: rows.length, groups: clusters.sizes.length };
}

/** No interval says what the metric cannot be. */
function within(range: Metric["range"], interval: NamedInterval): NamedInterval {
  if (!range || interval.interval === "none") return interval;
  const clip = (value: number) => Math.max(range[0], Math.min(range[1], value));
  return { ...interval, low: clip(interval.low), high: clip(interval.high) };
}

/** Difference a - b on the same cases, with a paired interval and a p-value. Rows must be aligned. */
export function compare(
  metric: Metric,
  a: readonly Row[],
  b: readonly Row[],
  options: BootstrapOptions = {},
): Difference {
  if (a.length !== b.length) throw new RangeError("a paired comparison needs the same cases on both sides");
  const groups = a.map((row) => row.group);
  const [one, other] = [a, b].map((rows) => rows.map(({ measurement }) => measurement)) as [
    Measurement[],
    Measurement[],
  ];
  const differences = one.map(({ value }, i) => value - other[i]!.value);
  const clusters = clustersOf(groups, differences);
  const pooled = (chosen: readonly number[]) =>
    summariseRows(
      metric,
      chosen.map((row) => one[row]!),
    ) -
    summariseRows(
      metric,
      chosen.map((row) => other[row]!),
    );
  const hits = areHits(
    metric,
    [...one, ...other].map(({ value }) => value),
  );
  const share = (sign: number) => mean(differences.map((value) => Math.max(0, sign * value)));
  const interval = metric.summarise
    ? bca(groups, pooled, options)
    : hits
      ? pairedShare(clusters, share(1), share(-1), options)
      : studentised(clusters, options);
  const { sums, sizes } = clusters;
  const members = membersOf(groups);
  const p = metric.summarise
    ? permutationP(sizes.length, (changed) => swapped(metric, members, one, other, changed), { ...options, flips: 999 })
    : permutationP(
        sizes.length,
        (changed) => sums.reduce((total, sum, g) => total + (changed[g] ? -sum : sum), 0),
        options,
      );
  return {
    value: metric.summarise ? pooled(differences.map((_, row) => row)) : clusters.mean,
    ...interval,
    n: a.length,
    groups: sizes.length,
    p,
    effect: effectOf(sums.map((sum, g) => sum / sizes[g]!)),
  };
}

/** The difference of pooled figures where some groups have changed sides. */
function swapped(
  metric: Metric,
  members: readonly (readonly number[])[],
  one: readonly Measurement[],
  other: readonly Measurement[],
  changed: Uint8Array,
): number {
  const side = (mine: readonly Measurement[], theirs: readonly Measurement[]) =>
    summariseRows(
      metric,
      members.flatMap((rows, g) => rows.map((row) => (changed[g] ? theirs : mine)[row]!)),
    );
  return side(one, other) - side(other, one);
}

function effectOf(differences: readonly number[]): number {
  const centre = mean(differences);
  const squares = differences.reduce((total, value) => total + (value - centre) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, differences.length - 1));
  if (centre === 0) return 0;
  return deviation > 0 ? centre / deviation : Math.sign(centre) * Number.POSITIVE_INFINITY;
}

/** Groups of metrics in which a random map is the measure of nothing; elsewhere (a sparse or stable map) it is no yardstick. */
export const measuredAgainstChance = (metric: Metric): boolean =>
  metric.group === "faithfulness" || metric.group === "localisation" || metric.group === "agreement";

/** Whether a difference is an improvement beyond its interval. */
export const separates = (metric: Metric, difference: Interval): boolean =>
  metric.direction === "up" ? difference.low > 0 : difference.high < 0;
