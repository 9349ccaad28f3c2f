/**
 * Intervals of 95 %, from values in groups (pictures or sentences); groups are what is drawn, and what is independent.
 *
 *   wilson       shares of hits: Wilson's score interval, with as many trials as the spread between groups is worth
 *   paired-share differences of hits: Bonett & Price's adjusted interval, likewise
 *   studentised  means: the wider of the bootstrap-t and of Student's t on each side
 *   bca          any other statistic of all rows: bias corrected and accelerated bootstrap
 *   constant     all groups have one value; none: fewer than five groups
 *
 * A bootstrap of few groups is too sure of itself. The studentised one is taken at a higher level where groups are fewer than 40, so that
 * it keeps its promise for skew data as well; statistics.test.ts shows the coverage by simulation.
 *
 * Wilson. Probable Inference. JASA 1927. Bonett & Price. Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based
 * on Paired Data. JEBS 2012. Efron & Tibshirani. An Introduction to the Bootstrap. 1993, chapters 12 and 14.
 */
import { createRandom, type Random, type Seed } from "../random.js";
import { mean, quantile } from "../rank.js";
import { normalQuantile, normalShare, studentQuantile } from "./distribution.js";

export type IntervalKind = "wilson" | "paired-share" | "studentised" | "bca" | "constant" | "none";

export interface Interval {
  /** NaN where there is no interval. */
  readonly low: number;
  readonly high: number;
}

export interface NamedInterval extends Interval {
  readonly interval: IntervalKind;
}

export interface BootstrapOptions {
  readonly seed?: Seed;
  /** Resamples; 2000 when not said. */
  readonly resamples?: number;
  /** Share of data sets whose interval holds the truth; 0.95 when not said. */
  readonly confidence?: number;
}

/** Below this there is no interval; below the second one it is wide, and said to be. */
export const fewestGroups = 5;
export const fewGroups = 20;

const none: NamedInterval = { low: Number.NaN, high: Number.NaN, interval: "none" };

/** Sum and size of each group, the mean of all, and its standard error. */
export interface Clusters {
  readonly sums: readonly number[];
  readonly sizes: readonly number[];
  readonly rows: number;
  readonly mean: number;
  readonly error: number;
}

/** Rows of each group, in the order in which groups first appear. */
export function membersOf(groups: readonly string[]): number[][] {
  const byGroup = new Map<string, number[]>();
  groups.forEach((group, row) => {
    const members = byGroup.get(group);
    if (members) members.push(row);
    else byGroup.set(group, [row]);
  });
  return [...byGroup.values()];
}

export function clustersOf(groups: readonly string[], values: readonly number[]): Clusters {
  const members = membersOf(groups);
  const sums = members.map((rows) => rows.reduce((total, row) => total + values[row]!, 0));
  const sizes = members.map((rows) => rows.length);
  const all = mean(values);
  const squares = sums.reduce((total, sum, g) => total + (sum - all * sizes[g]!) ** 2, 0);
  const count = members.length;
  const error = count > 1 ? Math.sqrt((squares * count) / (count - 1)) / values.length : Number.NaN;
  return { sums, sizes, rows: values.length, mean: all, error };
}

/** Of a share of hits, or of values between 0 and 1 that spread no more than hits do. */
export function wilson(
  { mean: share, error, rows, sizes }: Clusters,
  { confidence = 0.95 }: BootstrapOptions = {},
): NamedInterval {
  if (sizes.length < fewestGroups) return none;
  const n = worth(share * (1 - share), error, rows, sizes.length);
  const z = normalQuantile((1 + confidence) / 2);
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const reach = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach), interval: "wilson" };
}

/** Of a difference of shares on the same cases: `gained` and `lost` are shares of all rows. */
export function pairedShare(
  clusters: Clusters,
  gained: number,
  lost: number,
  { confidence = 0.95 }: BootstrapOptions = {},
): NamedInterval {
  const { error, rows, sizes } = clusters;
  if (sizes.length < fewestGroups) return none;
  const n = worth(gained + lost - (gained - lost) ** 2, error, rows, sizes.length);
  const [up, down] = [(gained * n + 1) / (n + 2), (lost * n + 1) / (n + 2)];
  const reach = normalQuantile((1 + confidence) / 2) * Math.sqrt((up + down - (up - down) ** 2) / (n + 2));
  return { low: Math.max(-1, up - down - reach), high: Math.min(1, up - down + reach), interval: "paired-share" };
}

/** How many independent trials of this variance would be as sure: from the number of groups to that of rows. */
function worth(variance: number, error: number, rows: number, groups: number): number {
  return Math.max(groups, Math.min(rows, error > 0 ? variance / error ** 2 : groups));
}

/** Of a mean. */
export function studentised(clusters: Clusters, options: BootstrapOptions = {}): NamedInterval {
  const { sums, sizes, mean: value, error } = clusters;
  const count = sums.length;
  if (count < fewestGroups) return none;
  if (!(error > 1e-12 * Math.max(1e-300, Math.abs(value)))) return { low: value, high: value, interval: "constant" };
  const { seed = 0, resamples = 2000, confidence = 0.95 } = options;
  const random = createRandom(seed, "bootstrap", count);
  const ratios: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const ratio = studentRatio(sums, sizes, value, random);
    if (ratio !== undefined) ratios.push(ratio);
  }
  const sorted = Float64Array.from(ratios).sort();
  const student = studentQuantile((1 + confidence) / 2, count - 1);
  const tail = ((1 - confidence) / 2) * Math.min(1, Math.max(0.3, count / 40));
  const within = (ratio: number) => Math.max(student, Math.min(ratio, widest * student));
  return {
    low: value - error * within(quantile(sorted, 1 - tail)),
    high: value + error * within(-quantile(sorted, tail)),
    interval: "studentised",
  };
}

/** In Student's reaches: what the bootstrap says of very few groups has hardly a bound. */
const widest = 4;

/** How many of its own standard errors a resampled mean lies from the mean; `undefined` where it has no spread. */
function studentRatio(
  sums: readonly number[],
  sizes: readonly number[],
  value: number,
  random: Random,
): number | undefined {
  const count = sums.length;
  let [sum, size, ss, sn, nn] = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const group = random.int(count);
    const [s, n] = [sums[group]! - value * sizes[group]!, sizes[group]!];
    sum += s;
    size += n;
    ss += s * s;
    sn += s * n;
    nn += n * n;
  }
  const own = sum / size;
  const squares = ss - 2 * own * sn + own * own * nn;
  if (!(squares > 1e-12 * ss)) return undefined;
  return own / (Math.sqrt((squares * count) / (count - 1)) / size);
}

/** Of any statistic of rows, which gets row numbers, repeats included. */
export function bca(
  groups: readonly string[],
  statistic: (rows: readonly number[]) => number,
  options: BootstrapOptions = {},
): NamedInterval {
  const members = membersOf(groups);
  const count = members.length;
  if (count < fewestGroups) return none;
  const { seed = 0, resamples = 2000, confidence = 0.95 } = options;
  const random = createRandom(seed, "bootstrap", count);
  const value = statistic(members.flat());
  const drawn = Float64Array.from({ length: resamples }, () =>
    statistic(Array.from({ length: count }, () => members[random.int(count)]!).flat()),
  ).sort();
  if (drawn[0] === drawn.at(-1)) return { low: value, high: value, interval: "constant" };
  const left = members.map((_, g) => statistic(members.filter((__, other) => other !== g).flat()));
  const centre = mean(left);
  const moment = (power: number) => left.reduce((total, one) => total + (centre - one) ** power, 0);
  const squares = moment(2);
  const acceleration = squares > 0 ? moment(3) / (6 * squares ** 1.5) : 0;
  const below = drawn.reduce((total, one) => total + (one < value ? 1 : one === value ? 0.5 : 0), 0) / resamples;
  const bias = normalQuantile(Math.min(1 - 1 / resamples, Math.max(1 / resamples, below)));
  const end = (share: number) => {
    const z = bias + normalQuantile(share);
    return quantile(drawn, normalShare(bias + z / (1 - acceleration * z)));
  };
  return { low: end((1 - confidence) / 2), high: end((1 + confidence) / 2), interval: "bca" };
}
