/** The figures for a person at a terminal: methods down, metrics across, what to beware of below. */
import {
  bestMethods,
  cellOf,
  type EvaluationSummary,
  sayFew,
  sayShortened,
  standing,
  withInterval,
} from "@vitrail/evaluation";
import type { Terminal } from "../terminal.js";

export function saySummary(summary: EvaluationSummary, terminal: Terminal): void {
  const { colors } = terminal;
  const best = new Map(summary.metrics.map(({ name, direction }) => [name, bestMethods(summary, name, direction)]));
  const shown = summary.methods.filter((method) => summary.cells.some((cell) => cell.method === method));
  const head = ["", ...summary.metrics.map(({ name, direction }) => `${name} ${direction === "up" ? "↑" : "↓"}`)];
  const rows = shown.map((method) => [
    method,
    ...summary.metrics.map(({ name }) => {
      const cell = cellOf(summary, name, method);
      return cell ? `${withInterval(cell)}${standing(cell, best.get(name)!) || " "}` : "– ";
    }),
  ]);
  const widths = head.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[], style: (text: string, column: number) => string) =>
    cells
      .map((text, column) =>
        style(column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!), column),
      )
      .join("  ")
      .trimEnd();
  terminal.say(line(head, (text) => colors.bold(text)));
  for (const row of rows) {
    const baseline = summary.cells.some((cell) => cell.method === row[0] && cell.baseline);
    terminal.say(
      line(row, (text, column) => {
        const metric = column > 0 ? summary.metrics[column - 1]! : undefined;
        if (metric && best.get(metric.name)!.includes(row[0]!)) return colors.bold(text);
        return baseline ? colors.dim(text) : text;
      }),
    );
  }
  const n = Math.max(0, ...summary.cells.map((cell) => cell.n));
  terminal.say(
    colors.dim(
      `n = ${n} at most, seed ${summary.header.seed}; 95 % intervals over pictures or texts; * best, = not certainly behind it (paired, Holm)`,
    ),
  );
  const few = sayFew(summary);
  if (few) terminal.say(colors.yellow(few));
  for (const { name, warning } of summary.metrics) if (warning) terminal.say(colors.yellow(`${name} ${warning}`));
  const shortened = sayShortened(summary);
  if (shortened) terminal.say(colors.yellow(shortened));
  for (const { method, metric, notes } of summary.cells) {
    for (const [note, count] of Object.entries(notes)) terminal.say(`${method}, ${metric}: ${note} (${count} cases)`);
  }
  for (const { metric, needs, count } of summary.missing) {
    terminal.say(colors.dim(`${metric} was left out ${count} times: it needs ${needs}`));
  }
}
