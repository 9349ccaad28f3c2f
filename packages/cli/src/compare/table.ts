/** The numbers of a comparison as lines of characters, for the terminal and for the sheet. */
import { type Agreement, strongest } from "./agreement.js";
import type { ColumnResult, ComparedRow } from "./run.js";

/** What the table says, in a sentence. */
export function agreementSentence(rows: readonly ComparedRow[], agreements: readonly Agreement[], top: number): string {
  const sizes = [...new Set(rows.flatMap(({ common }) => common.flatMap((each) => each?.values.length ?? [])))];
  const unit = rows[0]?.common.find((each) => each)?.unit ?? "values";
  const n = Math.max(0, ...agreements.map((each) => each.n));
  const [size] = sizes;
  const which =
    sizes.length === 1 ? `${strongest(size!, top)} of ${size} ${unit}` : `${top >= 1 ? top : `${top * 100} %`} ${unit}`;
  const chance = agreements.find((each) => each.chance !== undefined)?.chance ?? 0;
  const fewer = agreements.some((each) => each.n < n);
  const over = n > 1 ? `, means over ${fewer ? "up to " : ""}${n} maps` : "";
  return `Agreement${over}: above the diagonal Spearman's rank correlation; below it the share of the strongest ${which} that both methods name (by chance ${chance.toFixed(2)}).`;
}

/** One line per method, numbered; a column per method. */
export function agreementLines(columns: readonly ColumnResult[], agreements: readonly Agreement[]): string[] {
  const number = (index: number) => String(index + 1).padStart(String(columns.length).length);
  const names = columns.map(({ name }, index) => `${number(index)}  ${name}`);
  const width = Math.max(...names.map((name) => name.length));
  const between = (i: number, j: number) => agreements.find(({ a, b }) => a === Math.min(i, j) && b === Math.max(i, j));
  const head = `${" ".repeat(width)} ${columns.map((_, index) => number(index).padStart(6)).join("")}`;
  const lines = columns.map((_, i) => {
    const cells = columns.map((_, j) => {
      if (i === j) return "–";
      const pair = between(i, j);
      return figure(j > i ? pair?.spearman : pair?.overlap);
    });
    return `${names[i]!.padEnd(width)} ${cells.map((cell) => cell.padStart(6)).join("")}`;
  });
  return [head, ...lines];
}

/** Two decimals with a true minus sign; a question mark where nothing could be compared. */
export const figure = (value: number | undefined): string =>
  value === undefined
    ? "?"
    : value
        .toFixed(2)
        .replace("-", "−")
        .replace(/^−0\.00$/, "0.00");

/** Whether a method answers for the class that is asked about. */
export const stampOf = ({ method }: Pick<ColumnResult, "method">): string =>
  method.classSpecific ? "class-specific" : "not class-specific";
