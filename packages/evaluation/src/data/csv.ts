import { Broken } from "./loaded.js";

export interface CsvRow {
  readonly fields: readonly string[];
  /** Line on which the row begins, from 1. */
  readonly line: number;
}

/** CSV as RFC 4180 has it: quotes double inside quotes, line ends may stand inside them. Empty lines are no rows. */
export function parseCsv(text: string, separator = ","): CsvRow[] {
  const rows: CsvRow[] = [];
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRow = () => {
    if (fields.length > 0 || field !== "") rows.push({ fields: [...fields, field], line: start });
    fields = [];
    field = "";
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "\n") line++;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[++i]!;
      else quoted = false;
    } else if (character === '"' && field === "") {
      quoted = true;
    } else if (character === separator) {
      fields.push(field);
      field = "";
    } else if (character === "\n") {
      endRow();
      start = line;
    } else if (character !== "\r" || text[i + 1] !== "\n") {
      field += character;
    }
  }
  if (quoted) throw new Broken(`the quote of the row on line ${start} is never closed`);
  endRow();
  return rows;
}

/** One field, quoted where needed. */
export const csvField = (value: unknown): string => {
  const text = value === undefined || value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
