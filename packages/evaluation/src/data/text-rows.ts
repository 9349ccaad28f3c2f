/**
 * Sentences with gold spans.
 *   CSV:   a header with `text` and any of `id`, `label`, `text_pair`, `spans` (`[[0,4],[10,13]]` or `0-4;10-13`)
 *   JSONL: {"text": "...", "label": ..., "id": ..., "text_pair": "...", "spans": [[0, 4], {"start": 10, "end": 13}]}
 * Spans are of `text`. Fields with other names are not read, and that is said.
 * Positions count UTF-16 units (JavaScript's own) or, with `positions: "code-points"`, whole characters (Python's).
 */
import { parseCsv } from "./csv.js";
import { Collector, check, isRecord, type Loaded, type LoadOptions, parseJson } from "./loaded.js";

export interface TextSpan {
  readonly start: number;
  readonly end: number;
  /** Of the second text. */
  readonly inPair?: true;
}

export interface TextSample {
  readonly id: string;
  readonly text: string;
  /** A second text that the model reads beside the first. */
  readonly pair?: string;
  /** `text` is a question about `pair`: it is part of every input and is never taken away. */
  readonly asked?: true;
  readonly label?: string;
  /** UTF-16 positions in `text`, or in `pair`. */
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
  const unread = new UnreadFields();
  for (const { fields, line } of body) {
    rows.add({ file, at: line }, () => {
      check(fields.length === names.length, `${fields.length} fields under ${names.length} columns`);
      const row = Object.fromEntries(names.map((name, i) => [name, fields[i]]));
      unread.look(row);
      return toSample({ ...row, spans: spanList(row.spans ?? "") }, line, options);
    });
  }
  return rows.finish(options, unread.notes());
}

export function loadTextJsonl(content: string, options: TextOptions = {}): Loaded<TextSample> {
  const { file = "data.jsonl" } = options;
  const rows = new Collector<TextSample>();
  const unread = new UnreadFields();
  content.split(/\r?\n/).forEach((text, index) => {
    if (!text.trim()) return;
    rows.add({ file, at: index + 1 }, () => {
      const row = parseJson(text);
      unread.look(row);
      return toSample(row, index + 1, options);
    });
  });
  return rows.finish(options, unread.notes());
}

/** Fields that hold something and are not read: a reader must know that the model never sees them. */
class UnreadFields {
  readonly #counts = new Map<string, number>();
  #rows = 0;

  look(row: unknown): void {
    if (!isRecord(row)) return;
    this.#rows++;
    for (const [name, value] of Object.entries(row)) {
      if (read.has(name) || value === null || value === undefined || value === "") continue;
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    }
  }

  notes(): string[] {
    return Array.from(
      this.#counts,
      ([name, count]) => `the field "${name}" of ${count} of ${this.#rows} rows is not read: the model does not see it`,
    );
  }
}

const read: ReadonlySet<string> = new Set(["id", "text", "text_pair", "label", "spans"]);

function spanList(text: string): unknown {
  if (text.trim() === "") return [];
  if (text.trim().startsWith("[")) return parseJson(text);
  return text.split(";").map((part) => part.trim().split("-").map(Number));
}

function toSample(row: unknown, line: number, { positions = "utf-16" }: TextOptions): TextSample {
  check(isRecord(row), "no object");
  const { id, text, text_pair: pair, label, spans = [] } = row;
  check(typeof text === "string" && text.length > 0, "has no text");
  check(pair === undefined || pair === null || typeof pair === "string", "text_pair is no text");
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
    ...(pair && { pair }),
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
