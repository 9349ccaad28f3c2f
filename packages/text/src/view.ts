import { percent, raw, type Scale, scaleOf, specialNote } from "./scale.js";
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
 * Plain sentences: the fewest units that hold 80 % of the positive relevance, at most five; where values are negative, the same
 * about them, and what stands for and against in all.
 * `81 % of the positive relevance for toxic lies in 2 of 14 words: "stupid", "liar".`
 */
export function summarize(units: readonly Unit[], unit: UnitKind = "word", label?: string): string {
  const own = units.filter((each) => !each.special && each.text.trim() !== "");
  const positive = strongest(own, 1);
  const negative = strongest(own, -1);
  const target = label ? ` for ${label}` : "";
  const kind = own.length === 1 ? unit : `${unit}s`;
  if (positive.total <= 0) {
    const against = negative.total > 0 ? "; all that is not zero speaks against it" : "";
    return `None of the ${own.length} ${kind} has positive relevance${target}${against}.`;
  }
  const found = `${percent(positive.share)} of the positive relevance${target} lies in ${positive.named.length} of ${own.length} ${kind}: ${quoted(positive.named)}.`;
  if (negative.total <= 0) return found;
  const against = `${percent(negative.share)} of the negative relevance lies in ${negative.named.length}: ${quoted(negative.named)}.`;
  return `${found} ${against} In all ${raw(positive.total)} speaks for it and ${raw(negative.total)} against it.`;
}

/** The strongest units of one sign, and what share of that sign they hold. */
function strongest(units: readonly Unit[], sign: 1 | -1): { total: number; share: number; named: readonly Unit[] } {
  const all = units.filter(({ value }) => value * sign > 0);
  const sorted = all.sort((a, b) => sign * (b.value - a.value) || a.start - b.start);
  const total = all.reduce((sum, each) => sum + sign * each.value, 0);
  const named: Unit[] = [];
  let sum = 0;
  for (const each of sorted.slice(0, MOST_NAMED)) {
    if (sum / total >= ENOUGH) break;
    named.push(each);
    sum += sign * each.value;
  }
  return { total, share: total > 0 ? sum / total : 0, named };
}

const quoted = (units: readonly Unit[]): string => units.map((each) => `"${isolated(short(each.text))}"`).join(", ");

const short = (text: string): string => {
  const line = text.replace(/\s+/gu, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};

/** Right-to-left words in isolates, so that they do not turn the sentence around. */
const isolated = (text: string): string =>
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\u{10800}-\u{10fff}]|[\u{1e800}-\u{1efff}]/u.test(text)
    ? `\u2068${text}\u2069`
    : text;
