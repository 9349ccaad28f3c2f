import { TextError } from "./errors.js";
import type { Segment, Token } from "./token.js";

/** What a value is shown for. */
export type UnitKind = "token" | "word" | "sentence";

/** How the values of several tokens become one: the one furthest from zero, with its sign, or their sum. */
export type Combine = "max" | "sum";

/** A token, word or sentence with its relevance. Indices as in {@link Token}. */
export interface Unit {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly segment: Segment;
  readonly special: boolean;
  readonly value: number;
  /** Which tokens of the row it is made of. */
  readonly tokens: readonly number[];
}

export interface UnitOptions {
  /** Default `word`. */
  readonly unit?: UnitKind;
  /** Default `max` for words (a word of many pieces does not win by their number) and `sum` for sentences. */
  readonly combine?: Combine;
  /** For words and sentences: the locale whose rules cut the text. Default: Unicode's own rules. */
  readonly locale?: string;
}

export const defaultCombine = (unit: UnitKind): Combine => (unit === "sentence" ? "sum" : "max");

/**
 * Gathers the values of a row of tokens into units. Words and sentences are those of Unicode annex 29 (`Intl.Segmenter`); a
 * token that reaches over a border joins what it touches, and a token of spaces joins the word after it. Special tokens always
 * stay by themselves.
 */
export function toUnits(
  texts: readonly [string] | readonly [string, string],
  tokens: readonly Token[],
  values: ArrayLike<number>,
  options: UnitOptions = {},
): Unit[] {
  check(tokens, values);
  const { unit = "word", combine = defaultCombine(unit), locale = "und" } = options;
  const borders = texts.map((text) => (unit === "token" ? [] : starts(text, unit, locale)));
  const units: Unit[] = [];
  let members: number[] = [];
  let reach = 0;
  const close = () => {
    if (members.length) units.push(toUnit(texts, tokens, values, members, combine));
    members = [];
  };
  for (const [i, token] of tokens.entries()) {
    const previous = tokens[members.at(-1) ?? -1];
    const joins =
      unit !== "token" &&
      previous?.segment === token.segment &&
      !token.special &&
      !previous.special &&
      // A token without characters of its own stays with the one before it.
      (token.start < reach || (token.start === token.end && token.start === previous.end));
    if (!joins) close();
    members.push(i);
    if (token.segment === null || token.special) {
      close();
    } else if (unit !== "token") {
      const next = firstAfter(borders[token.segment]!, lastCharacter(texts[token.segment]!, token));
      reach = joins ? Math.max(reach, next) : next;
    }
  }
  close();
  return units;
}

/** The character that decides which word a token belongs to: its last one, or the one after a token of spaces alone. */
function lastCharacter(text: string, { start, end }: Token): number {
  if (start < end && /^[^\S\r\n]+$/u.test(text.slice(start, end))) {
    const after = text.slice(end).search(/\S/u);
    return after < 0 ? start : end + after;
  }
  return Math.max(start, end - 1);
}

function toUnit(
  texts: readonly string[],
  tokens: readonly Token[],
  values: ArrayLike<number>,
  members: readonly number[],
  combine: Combine,
): Unit {
  const first = tokens[members[0]!]!;
  const start = tokens[members.find((i) => tokens[i]!.text.trim() !== "") ?? members[0]!]!.start;
  const end = members.reduce((most, i) => Math.max(most, tokens[i]!.end), start);
  const text = first.segment === null ? first.text : texts[first.segment]!.slice(start, end) || first.text;
  let value = 0;
  for (const i of members) {
    if (combine === "sum") value += values[i]!;
    else if (Math.abs(values[i]!) > Math.abs(value)) value = values[i]!;
  }
  return { text, start, end, segment: first.segment, special: first.special, value, tokens: members };
}

function check(tokens: readonly Token[], values: ArrayLike<number>): void {
  if (tokens.length !== values.length) {
    throw new TextError(
      "T005",
      `${tokens.length} tokens but ${values.length} values`,
      "pass the tokens of the same row, padding cut off (see `rowsOf`)",
    );
  }
  const bad = Array.from(values).findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new TextError(
      "T005",
      `the relevance of token ${bad} ("${tokens[bad]!.text}") is ${values[bad]}`,
      "run the model in float32 and check it for overflow",
    );
  }
}

/**
 * Places where neither a word nor a sentence goes on whatever stands around them, at least so many characters apart. A segmenter's
 * time grows with the square of the text, so that a long text is handed to it in parts.
 */
const PARTS = {
  word: /[\s\S]{400,}?[\s。，、！？](?=[^\s\p{M}\p{Cf}])/gu,
  sentence: /[\s\S]{4000,}?\n(?=[^\s\p{M}\p{Cf}])/gu,
};

/** Where words or sentences begin, and where the text ends. */
function starts(text: string, unit: "word" | "sentence", locale: string): number[] {
  const segmenter = new Intl.Segmenter(locale, { granularity: unit });
  const found: number[] = [];
  let offset = 0;
  const cut = (end: number) => {
    for (const { index } of segmenter.segment(text.slice(offset, end))) found.push(offset + index);
    offset = end;
  };
  for (const part of text.matchAll(PARTS[unit])) cut(part.index + part[0].length);
  cut(text.length);
  return [...found, text.length];
}

/** The first of the sorted `places` behind `at`. */
function firstAfter(places: readonly number[], at: number): number {
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return places[low] ?? at + 1;
}
