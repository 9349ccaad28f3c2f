/** What a person reads of a comparison in the terminal. */
import type { Terminal } from "../terminal.js";
import type { Agreement } from "./agreement.js";
import { costText } from "./cost.js";
import type { Comparison } from "./run.js";
import { rowTitle } from "./sheet.js";
import { agreementLines, agreementSentence, stampOf } from "./table.js";
import { unitSentences } from "./units.js";

export interface ComparisonContext {
  readonly comparison: Comparison;
  readonly pairs: readonly Agreement[];
  readonly top: number;
  /** The model's name. */
  readonly model: string;
}

export function sayComparison(terminal: Terminal, context: ComparisonContext, files: readonly string[]): void {
  const { comparison, pairs, top } = context;
  const { columns, rows } = comparison;
  const { colors } = terminal;
  for (const row of rows) terminal.say(colors.bold(rowTitle(row)));
  terminal.say();
  const costs = columns.map(({ cost }) => (cost ? costText(cost) : ""));
  const width = widthOf(columns.map(({ name }) => name));
  for (const [index, { name, method }] of columns.entries()) {
    const stamp = stampOf({ method });
    const marked = method.classSpecific ? stamp : colors.yellow(stamp);
    terminal.say(`  ${name.padEnd(width)}  ${costs[index]!.padEnd(widthOf(costs))}  ${marked}`);
  }
  terminal.say();
  if (columns.length > 1) {
    terminal.say(`  ${agreementSentence(rows, pairs, top)}`);
    terminal.say(`  ${unitsSentence(comparison)}`);
    for (const line of agreementLines(columns, pairs)) terminal.say(`  ${line}`);
    terminal.say();
  }
  for (const file of files) terminal.say(`  ${colors.dim(`→ ${file}`)}`);
}

const widthOf = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));

/** How maps of different methods were brought to the same units. */
export function unitsSentence({ rows }: Comparison): string {
  const units = new Set(rows.flatMap(({ common }) => common.flatMap((each) => each?.unit ?? [])));
  return [...units].map((unit) => unitSentences[unit]).join(" ");
}
