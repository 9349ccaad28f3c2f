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
  ]);
  return `${[columns, ...lines].map((line) => line.map(csvField).join(",")).join("\n")}\n`;
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

/** Rows: methods; columns: metrics; the best method in bold; half the interval's width behind each figure. */
export function summaryMarkdown(summary: EvaluationSummary): string {
  const head = summary.metrics.map(({ name, direction }) => `${name} ${direction === "up" ? "↑" : "↓"}`);
  const best = new Map(summary.metrics.map(({ name, direction }) => [name, bestMethod(summary, name, direction)]));
  const lines = summary.methods.map((method) => {
    const figures = summary.metrics.map(({ name }) => {
      const cell = cellOf(summary, name, method);
      if (!cell) return "";
      const text = `${figure(cell.value)} ± ${figure((cell.high - cell.low) / 2)}`;
      return best.get(name) === method ? `**${text}**` : text;
    });
    return `| ${method} | ${figures.join(" | ")} |`;
  });
  return [`| method | ${head.join(" | ")} |`, `|---|${head.map(() => "---").join("|")}|`, ...lines].join("\n");
}

/** The best judged method of a metric; baselines compete for nothing. */
export function bestMethod(summary: EvaluationSummary, metric: string, direction: "up" | "down"): string | undefined {
  const sign = direction === "up" ? -1 : 1;
  return summary.cells
    .filter((cell) => cell.metric === metric && !cell.baseline)
    .sort((a, b) => sign * (a.value - b.value))[0]?.method;
}
