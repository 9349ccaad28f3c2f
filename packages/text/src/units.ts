import { TextError } from "./errors.js";
import { segmentStarts } from "./segment.js";
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
  /** Some of it is not in the vocabulary: the model saw its unknown token there. Left out where all of it is known. */
  readonly unknown?: true;
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
  const decides = texts.map(deciding);
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
      const next = firstAfter(borders[token.segment]!, decides[token.segment]!(token));
      reach = joins ? Math.max(reach, next) : next;
    }
  }
  close();
  return units;
}

/** The character that decides which word a token belongs to: its last one, or the one after a token of spaces alone. */
function deciding(text: string): (token: Token) => number {
  // Of spaces one by one, each would look for the end of all of them again.
  let ink = { from: 0, at: -1 };
  return ({ start, end }) => {
    if (start === end || !/^[^\S\r\n]+$/u.test(text.slice(start, end))) return Math.max(start, end - 1);
    if (end < ink.from || end > ink.at) {
      const after = text.slice(end).search(/\S/u);
      ink = { from: end, at: after < 0 ? text.length : end + after };
    }
    return ink.at < text.length ? ink.at : start;
  };
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
  const unknown = members.some((i) => tokens[i]!.unknown) && ({ unknown: true } as const);
  return { text, start, end, segment: first.segment, special: first.special, ...unknown, value, tokens: members };
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
 * Places where neither a word nor a sentence goes on whatever stands around them: there a text is cut where one comes after `least`
 * characters, so that no part is long for a segmenter.
 */
const PARTS = {
  word: { border: /[\s。，、！？](?=[^\s\p{M}\p{Cf}])/gu, least: 400 },
  sentence: { border: /\n(?=[^\s\p{M}\p{Cf}])/gu, least: 4000 },
};

/** Where words or sentences begin, and where the text ends. */
function starts(text: string, unit: "word" | "sentence", locale: string): number[] {
  const { border, least } = PARTS[unit];
  const segmenter = new Intl.Segmenter(locale, { granularity: unit });
  const cuts = [0];
  for (const { index } of text.matchAll(border)) if (index + 1 - cuts.at(-1)! >= least) cuts.push(index + 1);
  const found = cuts.map((from, part) => segmentStarts(segmenter, text, from, cuts[part + 1]));
  return [...found.flat(), text.length];
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
