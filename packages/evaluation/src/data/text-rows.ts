/**
 * Sentences with gold spans.
 *   CSV:   a header with `text` and any of `id`, `label`, `spans` (`[[0,4],[10,13]]` or `0-4;10-13`)
 *   JSONL: {"text": "...", "label": ..., "id": ..., "spans": [[0, 4], {"start": 10, "end": 13}]}
 * Positions count UTF-16 units (JavaScript's own) or, with `positions: "code-points"`, whole characters (Python's).
 */
import { parseCsv } from "./csv.js";
import { Collector, check, isRecord, type Loaded, type LoadOptions, parseJson } from "./loaded.js";

export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

export interface TextSample {
  readonly id: string;
  readonly text: string;
  readonly label?: string;
  /** UTF-16 positions in `text`. */
  readonly spans: readonly TextSpan[];
}

export interface TextOptions extends LoadOptions {
  readonly file?: string;
  readonly positions?: "utf-16" | "code-points";
}

export function loadTextCsv(content: string, options: TextOptions = {}): Loaded<TextSample> {
  const { file = "data.csv" } = options;
  const [header, ...body] = parseCsv(content);
  const names = header?.fields.map((name) => name.trim().toLowerCase()) ?? [];
  check(names.includes("text"), `${file}: the header has no column "text"`);
  const rows = new Collector<TextSample>();
  for (const { fields, line } of body) {
    rows.add({ file, at: line }, () => {
      check(fields.length === names.length, `${fields.length} fields under ${names.length} columns`);
      const row = Object.fromEntries(names.map((name, i) => [name, fields[i]]));
      return toSample({ ...row, spans: spanList(row.spans ?? "") }, line, options);
    });
  }
  return rows.finish(options);
}

export function loadTextJsonl(content: string, options: TextOptions = {}): Loaded<TextSample> {
  const { file = "data.jsonl" } = options;
  const rows = new Collector<TextSample>();
  content.split(/\r?\n/).forEach((text, index) => {
    if (text.trim()) rows.add({ file, at: index + 1 }, () => toSample(parseJson(text), index + 1, options));
  });
  return rows.finish(options);
}

function spanList(text: string): unknown {
  if (text.trim() === "") return [];
  if (text.trim().startsWith("[")) return parseJson(text);
  return text.split(";").map((part) => part.trim().split("-").map(Number));
}

function toSample(row: unknown, line: number, { positions = "utf-16" }: TextOptions): TextSample {
  check(isRecord(row), "no object");
  const { id, text, label, spans = [] } = row;
  check(typeof text === "string" && text.length > 0, "has no text");
  check(Array.isArray(spans), "spans is no list");
  const map = positions === "code-points" ? codePointMap(text) : undefined;
  const read = (span: unknown): TextSpan => {
    const [start, end] = (Array.isArray(span) ? span : isRecord(span) ? [span.start, span.end] : []) as unknown[];
    check(Number.isInteger(start) && Number.isInteger(end), `span ${JSON.stringify(span)} needs two whole numbers`);
    const [from, to] = map ? [map[start as number], map[end as number]] : [start as number, end as number];
    check(
      from !== undefined && to !== undefined && from >= 0 && to <= text.length,
      `span ${start}-${end} is outside the text`,
    );
    check(from < to, `span ${start}-${end} is empty`);
    return { start: from, end: to };
  };
  return {
    id: id === undefined || id === "" ? `${line}` : String(id),
    text,
    ...(label !== undefined && label !== "" && { label: String(label) }),
    spans: spans.map(read),
  };
}

/** UTF-16 position of each character, and of the end. */
function codePointMap(text: string): number[] {
  const result = [0];
  for (const character of text) result.push(result.at(-1)! + character.length);
  return result;
}
