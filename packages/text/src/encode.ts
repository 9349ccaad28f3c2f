import { TextError } from "./errors.js";
import { type Dropped, type Token, unknownMark } from "./token.js";
import type { Row, TextTokenizer } from "./tokenizer.js";
import { type Range, windows } from "./windows.js";

/** What to do with more tokens than the model takes. */
export type Overflow =
  /** Several rows that overlap; nothing is lost. The default. */
  | "window"
  /** One row; the words cut off are listed in `dropped` and in a warning. */
  | "truncate"
  /** An error. */
  | "error";

export interface EncodeOptions {
  /** The second of a pair of texts (a question and its context, two sentences to compare). */
  readonly pair?: string;
  /** The most tokens of a row, those of the template included. Default: the tokenizer's own limit. */
  readonly maxLength?: number;
  readonly overflow?: Overflow;
  /** How many tokens neighbouring windows share. Default: a quarter of what fits. */
  readonly overlap?: number;
}

/** A text as the model reads it: one row, or several for a long text. */
export interface Encoding {
  readonly texts: readonly [string] | readonly [string, string];
  /** Everything in one row, whatever its length; values of several rows are merged into this one. */
  readonly whole: Row;
  readonly rows: readonly EncodedRow[];
  readonly dropped: readonly Dropped[];
  readonly warnings: readonly string[];
}

export interface EncodedRow extends Row {
  /** For every token its index in `whole`. */
  readonly places: readonly number[];
  /** The part of `whole` that this row is a window on; what lies outside (template, shorter text) is in every row. */
  readonly from: number;
  readonly to: number;
}

/** Turns a text, or a pair, into rows of tokens that fit the model. No word is lost without a word about it. */
export function encode(tokenizer: TextTokenizer, text: string, options: EncodeOptions = {}): Encoding {
  const { pair, maxLength = tokenizer.maxLength, overflow = "window" } = options;
  const first = tokenizer.tokenize(text, 0);
  const second = pair === undefined ? undefined : tokenizer.tokenize(pair, 1);
  const texts = pair === undefined ? ([text] as const) : ([text, pair] as const);
  const dropped = [...first.dropped, ...(second?.dropped ?? [])];
  const warnings = dropped.length
    ? [`The tokenizer has nothing for ${quote(dropped.map((d) => d.text).join(""))}; the model did not see it.`]
    : [];
  const unknown = [...first.tokens, ...(second?.tokens ?? [])].filter((token) => token.unknown);
  if (unknown.length > 0) warnings.push(unknownWarning(tokenizer, unknown));

  const whole = tokenizer.arrange(first.tokens, second?.tokens);
  if (whole.tokens.length <= maxLength) {
    return { texts, whole, rows: [single(whole)], dropped, warnings };
  }
  if (overflow === "error") {
    throw new TextError(
      "T003",
      `the text has ${whole.tokens.length} tokens and the model takes ${maxLength}`,
      'use overflow "window" (every word is kept) or "truncate"',
    );
  }
  // Of a pair the longer text is cut; the other stands in every row.
  const cutsSecond = second !== undefined && second.tokens.length >= first.tokens.length;
  const long = cutsSecond ? second : first;
  const kept = (cutsSecond ? first.tokens.length : second?.tokens.length) ?? 0;
  const room = maxLength - tokenizer.templateLength(second !== undefined) - kept;
  if (room < 1) {
    throw new TextError(
      "T003",
      `a row of ${maxLength} tokens has no room beside the template${kept ? " and the shorter text" : ""}`,
      "shorten the text",
    );
  }
  const ranges =
    overflow === "truncate" ? [windows(long.tokens, room, 0)[0]!] : windows(long.tokens, room, options.overlap);
  // Template tokens come in the same order in every row, so the n-th of a row is the n-th of the whole.
  const layout = {
    template: whole.indices.flatMap((index, place) => (index < 0 ? [place] : [])),
    offset: [0, 1].map((segment) => whole.tokens.findIndex(ofText(segment as 0 | 1))),
  };
  const rows = ranges.map((range) => row(tokenizer, layout, first.tokens, second?.tokens, cutsSecond, range));
  if (overflow === "truncate") {
    const rest = long.tokens.slice(ranges[0]!.to);
    const lost = loss(rest, cutsSecond ? pair! : text, cutsSecond ? 1 : 0);
    dropped.push(lost);
    const words = lost.text.trim().split(/\s+/u).length;
    warnings.push(
      `Cut after ${maxLength} tokens: the model did not see the last ${words === 1 ? "word" : `${words} words`}, from ${quote(lost.text)}.`,
    );
    const visible = tokenizer.arrange(rows[0]!.tokens.filter(ofText(0)), second && rows[0]!.tokens.filter(ofText(1)));
    return { texts, whole: visible, rows: [single(visible)], dropped, warnings };
  }
  warnings.push(`${whole.tokens.length} tokens in ${rows.length} overlapping windows of at most ${maxLength}.`);
  return { texts, whole, rows, dropped, warnings };
}

const MOST_NAMED = 5;

function unknownWarning(tokenizer: TextTokenizer, tokens: readonly Token[]): string {
  const texts = [...new Set(tokens.map(({ text }) => text))];
  const more = texts.length > MOST_NAMED ? ` and ${texts.length - MOST_NAMED} more` : "";
  const [is, word] = texts.length === 1 ? ["is", "symbol"] : ["are", "symbols"];
  const named = `${texts.slice(0, MOST_NAMED).map(quote).join(", ")}${more}`;
  return `${texts.length} ${word} (${named}) ${is} not in the vocabulary, marked ${unknownMark}: the model read ${tokenizer.unknownToken}.`;
}

const ofText = (segment: 0 | 1) => (token: Token) => token.segment === segment;

const single = (whole: Row): EncodedRow => ({
  ...whole,
  places: whole.tokens.map((_, i) => i),
  from: 0,
  to: whole.tokens.length,
});

function row(
  tokenizer: TextTokenizer,
  { template, offset }: { template: readonly number[]; offset: readonly number[] },
  first: readonly Token[],
  second: readonly Token[] | undefined,
  cutsSecond: boolean,
  { from, to }: Range,
): EncodedRow {
  const arranged = cutsSecond
    ? tokenizer.arrange(first, second!.slice(from, to))
    : tokenizer.arrange(first.slice(from, to), second);
  let seen = 0;
  const places = arranged.tokens.map((token, i) => {
    const index = arranged.indices[i]!;
    if (index < 0) return template[seen++]!;
    return offset[token.segment!]! + index + ((token.segment === 1) === cutsSecond ? from : 0);
  });
  const start = offset[cutsSecond ? 1 : 0]!;
  return { ...arranged, places, from: start + from, to: start + to };
}

function loss(rest: readonly Token[], text: string, segment: 0 | 1): Dropped {
  const start = rest[0]!.start;
  const end = rest.at(-1)!.end;
  return { start, end, segment, text: text.slice(start, end), reason: "length" };
}

const quote = (text: string) => `"${text.length > 40 ? `${text.slice(0, 39)}…` : text}"`;
