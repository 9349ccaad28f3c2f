import { percent, type Scale, scaleOf, specialNote } from "./scale.js";
import { type Combine, defaultCombine, type Unit, type UnitKind } from "./units.js";

/** One explained text: what every renderer takes. */
export interface TextView {
  readonly texts: readonly [string] | readonly [string, string];
  readonly units: readonly Unit[];
  readonly unit: UnitKind;
  readonly combine: Combine;
  readonly scale: Scale;
  /** What was explained: the label, and what the model says about it. */
  readonly target?: { readonly label: string; readonly probability?: number };
  /** How: the method's title, the model's name. */
  readonly method?: string;
  readonly model?: string;
  /** Sentences for below the text: special tokens, words cut off, windows. */
  readonly notes: readonly string[];
  readonly summary: string;
}

export interface ViewOptions {
  readonly unit?: UnitKind;
  readonly combine?: Combine;
  readonly target?: { readonly label: string; readonly probability?: number };
  readonly method?: string;
  readonly model?: string;
  /** A scale shared with other texts. Default: the text's own. */
  readonly scale?: Scale;
  /** More notes, e.g. the warnings of `encode`. */
  readonly notes?: readonly string[];
}

/** Puts units, scale, notes and the summary sentence together. */
export function toView(texts: TextView["texts"], units: readonly Unit[], options: ViewOptions = {}): TextView {
  const { unit = "word", combine = defaultCombine(unit), scale = scaleOf(units), notes = [], ...rest } = options;
  const special = specialNote(units);
  return {
    ...rest,
    texts,
    units,
    unit,
    combine,
    scale,
    notes: [...notes, ...(special ? [special] : [])],
    summary: summarize(units, unit, options.target?.label),
  };
}

const MOST_NAMED = 5;
const ENOUGH = 0.8;

/**
 * One plain sentence: the fewest units that hold 80 % of the positive relevance, at most five.
 * `81 % of the positive relevance for toxic lies in 2 of 14 words: "stupid", "liar".`
 */
export function summarize(units: readonly Unit[], unit: UnitKind = "word", label?: string): string {
  const own = units.filter((each) => !each.special && each.text.trim() !== "");
  const positive = own.filter((each) => each.value > 0).sort((a, b) => b.value - a.value || a.start - b.start);
  const total = positive.reduce((sum, each) => sum + each.value, 0);
  const target = label ? ` for ${label}` : "";
  if (total <= 0) {
    const against = own.some((each) => each.value < 0) ? "; all that is not zero speaks against it" : "";
    return `None of the ${own.length} ${unit}${own.length === 1 ? "" : "s"} has positive relevance${target}${against}.`;
  }
  const named: Unit[] = [];
  let sum = 0;
  for (const each of positive.slice(0, MOST_NAMED)) {
    if (sum / total >= ENOUGH) break;
    named.push(each);
    sum += each.value;
  }
  const words = named.map((each) => `"${isolated(short(each.text))}"`).join(", ");
  const kind = own.length === 1 ? unit : `${unit}s`;
  return `${percent(sum / total)} of the positive relevance${target} lies in ${named.length} of ${own.length} ${kind}: ${words}.`;
}

const short = (text: string): string => {
  const line = text.replace(/\s+/gu, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};

/** Right-to-left words in isolates, so that they do not turn the sentence around. */
const isolated = (text: string): string =>
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\u{10800}-\u{10fff}]|[\u{1e800}-\u{1efff}]/u.test(text)
    ? `\u2068${text}\u2069`
    : text;
