/** From rows to the table: figures with intervals, the distance to `random`, mean curves, and warnings. */
import { baselines } from "../baseline.js";
import type { Curve, Metric, OptionValue } from "../metric.js";
import { mean } from "../rank.js";
import type { ChosenMetric } from "../registry.js";
import {
  type BootstrapOptions,
  compare,
  type Difference,
  fewestGroups,
  fewGroups,
  holm,
  measuredAgainstChance,
  type Row,
  type Summary,
  summarise,
} from "../statistics.js";
import { type ResultRow, schema } from "./row.js";

export interface Cell extends Summary {
  readonly metric: string;
  readonly method: string;
  readonly baseline: boolean;
  /** Difference to the random map on the same cases; better where it is an improvement after Holm's correction over the table. */
  readonly versusRandom?: Corrected & { readonly better: boolean };
  /** Judged methods: difference to the best of them on the same cases. Tied where Holm's correction over the table leaves a doubt. */
  readonly versusBest?: Corrected & { readonly best: string; readonly tied: boolean };
  readonly notes: Readonly<Record<string, number>>;
  readonly curve?: Curve;
}

/** A difference whose p-value was corrected for all comparisons of its kind in the table. */
export interface Corrected extends Difference {
  readonly pHolm: number;
}

/** Two judged methods under one metric: a - b. */
export interface Pair extends Corrected {
  readonly metric: string;
  readonly a: string;
  readonly b: string;
}

export interface MetricEntry {
  readonly name: string;
  readonly id: string;
  readonly title: string;
  readonly citation: string;
  readonly direction: Metric["direction"];
  readonly group: Metric["group"];
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly caveat?: string;
  readonly warning?: string;
}

export interface EvaluationSummary {
  readonly schema: typeof schema;
  readonly header: Readonly<Record<string, string | number>>;
  readonly metrics: readonly MetricEntry[];
  readonly methods: readonly string[];
  readonly cells: readonly Cell[];
  /** Every pair of judged methods, where it was asked for. */
  readonly pairs?: readonly Pair[];
  readonly cases: number;
  /** Cases of which the model reads only the beginning, and those among them whose evidence is not all in it. */
  readonly shortened: { readonly cases: number; readonly evidenceLost: number };
  readonly failures: readonly { readonly case: string; readonly method: string; readonly error: string }[];
  /** Measurements that were left out, counted by metric and reason. */
  readonly missing: readonly { readonly metric: string; readonly needs: string; readonly count: number }[];
}

export interface SummaryOptions extends BootstrapOptions {
  readonly metrics: readonly ChosenMetric[];
  /** In the order of the table; baselines follow. */
  readonly methods: readonly string[];
  /** Command, hashes, versions, seed: printed as they are. */
  readonly header?: Readonly<Record<string, string | number>>;
  /** Compare every two methods, not only the best with the rest. */
  readonly pairs?: boolean;
}

const isBaseline = (method: string) => baselines.some(({ id }) => id === method);

/** Independent of the order in which rows were written. */
export function summariseResults(rows: readonly ResultRow[], options: SummaryOptions): EvaluationSummary {
  const order = [...options.methods.filter((method) => !isBaseline(method)), ...baselines.map(({ id }) => id)];
  const good = rows.filter((row) => row.error === undefined).sort((a, b) => compareText(a.case, b.case));
  const drafts = options.metrics.flatMap((chosen) => cellsOf(chosen, order, good, options));
  const cells = corrected(drafts);
  const pairs = options.pairs && correct(options.metrics.flatMap((chosen) => pairsOf(chosen, order, good, options)));
  return {
    schema,
    header: options.header ?? {},
    metrics: options.metrics.map((chosen) => entry(chosen, cells)),
    methods: order.filter((method) => !isBaseline(method) || cells.some((cell) => cell.method === method)),
    cells,
    ...(pairs && { pairs }),
    cases: new Set(rows.map((row) => row.case)).size,
    shortened: countShortened(good),
    failures: rows
      .flatMap((row) => (row.error === undefined ? [] : [{ case: row.case, method: row.method, error: row.error }]))
      .sort((a, b) => compareText(a.case, b.case) || compareText(a.method, b.method)),
    missing: countMissing(good),
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Cells before p-values are corrected. */
type Draft = Omit<Cell, "versusRandom" | "versusBest"> & {
  readonly versusRandom?: Difference;
  readonly versusBest?: Difference & { readonly best: string };
  readonly direction: Metric["direction"];
};

function cellsOf(
  { metric, name }: ChosenMetric,
  methods: readonly string[],
  rows: readonly ResultRow[],
  options: BootstrapOptions,
): Draft[] {
  const byMethod = new Map(methods.map((method) => [method, measured(rows, method, name)]));
  const figures = methods.flatMap((method) => {
    const own = byMethod.get(method)!;
    return own.size > 0 ? [{ method, own, summary: summarise(metric, [...own.values()], options) }] : [];
  });
  const sign = metric.direction === "up" ? 1 : -1;
  const judged = figures.filter(({ method }) => !isBaseline(method));
  const best = judged.reduce<(typeof judged)[number] | undefined>(
    (top, one) => (top && sign * one.summary.value <= sign * top.summary.value ? top : one),
    undefined,
  );
  const chance = byMethod.get("random");
  return figures.map(({ method, own, summary }): Draft => {
    const random =
      method !== "random" && measuredAgainstChance(metric) && chance && paired(metric, own, chance, options);
    const rest = best && best.method !== method && !isBaseline(method);
    const behind = rest && paired(metric, own, best.own, options);
    const curve = meanCurve([...own.values()]);
    return {
      metric: name,
      method,
      baseline: isBaseline(method),
      direction: metric.direction,
      ...summary,
      ...(random && { versusRandom: random }),
      ...(behind && { versusBest: { ...behind, best: best.method } }),
      notes: countNotes([...own.values()]),
      ...(curve && { curve }),
    };
  });
}

/** The difference on the cases that both have. */
function paired(
  metric: Metric,
  a: ReadonlyMap<string, Row>,
  b: ReadonlyMap<string, Row>,
  options: BootstrapOptions,
): Difference | undefined {
  const shared = [...a.keys()].filter((id) => b.has(id));
  const rowsOf = (of: ReadonlyMap<string, Row>) => shared.map((id) => of.get(id)!);
  return shared.length > 0 ? compare(metric, rowsOf(a), rowsOf(b), options) : undefined;
}

function pairsOf(
  { metric, name }: ChosenMetric,
  methods: readonly string[],
  rows: readonly ResultRow[],
  options: BootstrapOptions,
) {
  const judged = methods.filter((method) => !isBaseline(method));
  const byMethod = new Map(judged.map((method) => [method, measured(rows, method, name)]));
  return judged.flatMap((a, i) =>
    judged.slice(i + 1).flatMap((b) => {
      const difference = paired(metric, byMethod.get(a)!, byMethod.get(b)!, options);
      return difference ? [{ metric: name, a, b, ...difference }] : [];
    }),
  );
}

/** Holm's correction over all of these. */
function correct<D extends Difference>(differences: readonly D[]): (D & { readonly pHolm: number })[] {
  const adjusted = holm(differences.map(({ p }) => p));
  return differences.map((one, i) => ({ ...one, pHolm: adjusted[i]! }));
}

const level = 0.05;

/** One family of tests against chance, another one against the best. */
function corrected(drafts: readonly Draft[]): Cell[] {
  const families = (key: "versusRandom" | "versusBest") => {
    const tested = drafts.filter((draft) => draft[key] !== undefined && (key === "versusBest" || !draft.baseline));
    const adjusted = holm(tested.map((draft) => draft[key]!.p));
    return new Map(tested.map((draft, i) => [draft, adjusted[i]!]));
  };
  const [chance, best] = [families("versusRandom"), families("versusBest")];
  return drafts.map((draft): Cell => {
    const { versusRandom, versusBest, direction, ...cell } = draft;
    // Baselines are tested as well, but are no hypotheses of the table.
    const pHolm = chance.get(draft) ?? versusRandom?.p ?? 1;
    const gain = (versusRandom?.value ?? 0) * (direction === "up" ? 1 : -1);
    const doubt = best.get(draft) ?? 1;
    return {
      ...cell,
      ...(versusRandom && { versusRandom: { ...versusRandom, pHolm, better: gain > 0 && pHolm < level } }),
      ...(versusBest && { versusBest: { ...versusBest, pHolm: doubt, tied: doubt >= level } }),
    };
  });
}

/** For people: how few samples there are, where they are few. */
export function sayFew({ cells }: Pick<EvaluationSummary, "cells">): string | undefined {
  const groups = Math.max(0, ...cells.map((cell) => cell.groups));
  if (cells.length === 0 || groups >= fewGroups) return undefined;
  if (groups < fewestGroups)
    return `${groups} pictures or texts are too few for intervals: at least ${fewestGroups} are needed`;
  return `${groups} pictures or texts are few: intervals are wide, and differences must be large to be seen; ${fewGroups} or more are better`;
}

/** Finite measurements of one method under one metric, by case. */
function measured(rows: readonly ResultRow[], method: string, name: string): Map<string, Row> {
  const result = new Map<string, Row>();
  for (const row of rows) {
    const measurement = row.method === method ? row.values?.[name] : undefined;
    if (measurement && Number.isFinite(measurement.value)) result.set(row.case, { group: row.group, measurement });
  }
  return result;
}

/**
 * Point by point where all curves have the same x; where they have it only from and to the same place, as those of texts of different
 * lengths, on 21 points between.
 */
function meanCurve(rows: readonly Row[]): Curve | undefined {
  const curves = rows.flatMap(({ measurement }) => (measurement.curve ? [measurement.curve] : []));
  const [first] = curves;
  if (!first || curves.some(({ x }) => !same(x[0], first.x[0]) || !same(x.at(-1), first.x.at(-1)))) return undefined;
  const alike = curves.every(({ x }) => x.length === first.x.length && x.every((value, i) => same(value, first.x[i])));
  const [from, to] = [first.x[0]!, first.x.at(-1)!];
  const x = alike ? first.x : Array.from({ length: 21 }, (_, i) => from + ((to - from) * i) / 20);
  return { x, y: x.map((at, i) => mean(curves.map((curve) => (alike ? curve.y[i]! : heightAt(curve, at))))) };
}

const same = (a: number | undefined, b: number | undefined): boolean => Math.abs(a! - b!) <= 1e-6;

/** A curve's height between its points. */
function heightAt({ x, y }: Curve, at: number): number {
  const next = Math.max(
    1,
    x.findIndex((value) => value >= at - 2e-6),
  );
  const part = (at - x[next - 1]!) / (x[next]! - x[next - 1]!);
  return y[next - 1]! + part * (y[next]! - y[next - 1]!);
}

function countNotes(rows: readonly Row[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { measurement } of rows)
    if (measurement.note) counts[measurement.note] = (counts[measurement.note] ?? 0) + 1;
  return counts;
}

function countShortened(rows: readonly ResultRow[]): EvaluationSummary["shortened"] {
  const byCase = new Map(rows.flatMap((row) => (row.shortened ? [[row.case, row.shortened] as const] : [])));
  return { cases: byCase.size, evidenceLost: [...byCase.values()].filter(({ evidenceLost }) => evidenceLost).length };
}

/** For people; nothing where every sample was read whole. */
export function sayShortened({
  shortened: { cases, evidenceLost },
  cases: all,
}: EvaluationSummary): string | undefined {
  if (cases === 0) return undefined;
  const lost = evidenceLost > 0 ? `; in ${evidenceLost} of them evidence lies behind it` : "";
  return `${cases} of ${all} cases are longer than what the model reads: they are measured on their beginning${lost}`;
}

/** Failures with one reason, such as one broken picture under every method, said once. */
export function distinctFailures({ failures }: Pick<EvaluationSummary, "failures">): string[] {
  const byReason = new Map<string, { cases: Set<string>; methods: Set<string> }>();
  for (const { case: id, method, error } of failures) {
    const known = byReason.get(error) ?? { cases: new Set(), methods: new Set() };
    byReason.set(error, { cases: known.cases.add(id), methods: known.methods.add(method) });
  }
  const some = (names: ReadonlySet<string>, many: string) =>
    names.size === 1 ? [...names][0]! : `${names.size} ${many}`;
  return Array.from(
    byReason,
    ([error, { cases, methods }]) => `${some(cases, "cases")}, ${some(methods, "methods")}: ${error}`,
  );
}

function countMissing(rows: readonly ResultRow[]): EvaluationSummary["missing"] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    for (const [metric, needs] of Object.entries(row.missing ?? {})) {
      const key = JSON.stringify([metric, needs.join(", ")]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, count]) => {
      const [metric, needs] = JSON.parse(key) as [string, string];
      return { metric, needs, count };
    });
}

function entry({ metric, name, options }: ChosenMetric, cells: readonly Cell[]): MetricEntry {
  const { id, title, citation, direction, group, caveat } = metric;
  const judged = cells.filter((cell) => cell.metric === name && !cell.baseline && cell.versusRandom);
  const blind = judged.length > 0 && judged.every((cell) => !cell.versusRandom!.better);
  const warning = `cannot separate ${judged.length === 1 ? "the method" : "any method"} from a random map on these ${judged[0]?.n} cases`;
  return { name, id, title, citation, direction, group, options, ...(caveat && { caveat }), ...(blind && { warning }) };
}
