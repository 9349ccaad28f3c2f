import type { Unit } from "../units.js";
import type { TextView } from "../view.js";

/** The `tokens` part of an explanation's JSON. `segment` says which text of a pair; null = added by the tokenizer. */
export interface TokenJson {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly special: boolean;
  /** Where the model read its unknown token. */
  readonly unknown?: true;
  readonly value: number;
  readonly segment?: 0 | 1 | null;
}

/** `[{text, start, end, special, value}]`; indices are UTF-16, as JavaScript counts. `segment` is there for pairs only. */
export function toTokensJson(units: readonly Unit[]): TokenJson[] {
  const pair = units.some((unit) => unit.segment === 1);
  return units.map(({ text, start, end, special, unknown, value, segment }) => ({
    text,
    start,
    end,
    special,
    ...(unknown && { unknown }),
    value,
    ...(pair ? { segment } : {}),
  }));
}

/** One line per unit, RFC 4180, with a header. Several views share one table; `row` counts them. */
export function toCsv(views: TextView | readonly TextView[]): string {
  const list = "units" in views ? [views] : views;
  const lines = ["row,target,segment,start,end,special,value,text"];
  for (const [row, view] of list.entries()) {
    for (const { segment, start, end, special, value, text } of view.units) {
      const cells = [row, view.target?.label ?? "", segment ?? "", start, end, special, digits(value), text];
      lines.push(cells.map(cell).join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** As many digits as a float32 holds. */
const digits = (value: number): number => Number(value.toPrecision(9));

const cell = (value: unknown): string => {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
