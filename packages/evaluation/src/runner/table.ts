/** The summary as CSV (long form) and as a Markdown table for READMEs. */
import { csvField } from "../data/csv.js";
import type { Cell, EvaluationSummary } from "./summary.js";

const columns = [
  "metric",
  "direction",
  "method",
  "baseline",
  "value",
  "low",
  "high",
  "n",
  "groups",
  "minus_random",
  "minus_random_low",
  "minus_random_high",
  "better_than_random",
  "p_random_holm",
  "interval",
  "best",
  "minus_best",
  "minus_best_low",
  "minus_best_high",
  "p_best_holm",
  "effect_best",
  "tied_with_best",
];

export function summaryCsv(summary: EvaluationSummary): string {
  const direction = new Map(summary.metrics.map((metric) => [metric.name, metric.direction]));
  const lines = summary.cells.map((cell) => [
    cell.metric,
    direction.get(cell.metric),
    cell.method,
    cell.baseline,
    cell.value,
    cell.low,
    cell.high,
    cell.n,
    cell.groups,
    cell.versusRandom?.value,
    cell.versusRandom?.low,
    cell.versusRandom?.high,
    cell.versusRandom?.better,
    cell.versusRandom?.pHolm,
    cell.interval,
    cell.versusBest?.best,
    cell.versusBest?.value,
    cell.versusBest?.low,
    cell.versusBest?.high,
    cell.versusBest?.pHolm,
    cell.versusBest?.effect,
    cell.versusBest?.tied,
  ]);
  return csvOf([columns, ...lines]);
}

const csvOf = (lines: readonly (readonly unknown[])[]): string =>
  `${lines.map((line) => line.map(csvField).join(",")).join("\n")}\n`;

/** Every pair of methods, in long form. */
export function pairsCsv({ pairs = [] }: Pick<EvaluationSummary, "pairs">): string {
  const head = ["metric", "a", "b", "a_minus_b", "low", "high", "n", "groups", "p", "p_holm", "effect"];
  return csvOf([
    head,
    ...pairs.map((one) => [
      ...[one.metric, one.a, one.b, one.value, one.low, one.high],
      ...[one.n, one.groups, one.p, one.pHolm, one.effect],
    ]),
  ]);
}

/** Enough digits to tell figures apart, none that are noise. */
export const figure = (value: number): string =>
  Number.isFinite(value)
    ? Math.abs(value) >= 100
      ? value.toFixed(0)
      : Math.abs(value) >= 10
        ? value.toFixed(1)
        : value.toFixed(3)
    : "n/a";

export const cellOf = (summary: EvaluationSummary, metric: string, method: string): Cell | undefined =>
  summary.cells.find((cell) => cell.metric === metric && cell.method === method);

/** `0.512 [0.401, 0.623]`, or the figure alone where there is no interval. */
export const withInterval = ({ value, low, high }: Pick<Cell, "value" | "low" | "high">): string =>
  Number.isFinite(low) && Number.isFinite(high) ? `${figure(value)} [${figure(low)}, ${figure(high)}]` : figure(value);

/** `*` where it is among the best, `=` where the data leave a doubt whether it is behind them. */
export const standing = (cell: Cell, best: readonly string[]): "*" | "=" | "" =>
  cell.baseline ? "" : best.includes(cell.method) ? "*" : cell.versusBest?.tied ? "=" : "";

/** Rows: methods; columns: metrics; the best methods in bold, those that are not certainly behind them marked =; the 95 % interval. */
export function summaryMarkdown(summary: EvaluationSummary): string {
  const head = summary.metrics.map(({ name, direction }) => `${name} ${direction === "up" ? "↑" : "↓"}`);
  const best = new Map(summary.metrics.map(({ name, direction }) => [name, bestMethods(summary, name, direction)]));
  const lines = summary.methods.map((method) => {
    const figures = summary.metrics.map(({ name }) => {
      const cell = cellOf(summary, name, method);
      if (!cell) return "";
      const text = withInterval(cell);
      const mark = standing(cell, best.get(name)!);
      return mark === "*" ? `**${text}**` : `${text}${mark && ` ${mark}`}`;
    });
    return `| ${method} | ${figures.join(" | ")} |`;
  });
  return [`| method | ${head.join(" | ")} |`, `|---|${head.map(() => "---").join("|")}|`, ...lines].join("\n");
}

/** The best judged methods of a metric: several where their figures are equal. Baselines compete for nothing. */
export function bestMethods(summary: EvaluationSummary, metric: string, direction: "up" | "down"): string[] {
  const sign = direction === "up" ? 1 : -1;
  const judged = summary.cells.filter((cell) => cell.metric === metric && !cell.baseline);
  const top = Math.max(...judged.map(({ value }) => sign * value));
  return judged
    .filter(({ value }) => sign * value >= top - 1e-9 * Math.max(1, Math.abs(top)))
    .map(({ method }) => method);
}
