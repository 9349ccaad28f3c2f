import type { Added, StageConfig, Stages } from "./library.js";
import { aligned, normalize } from "./normalize.js";
import { preTokenize } from "./pre-tokenize.js";
import { fuseUnknown, type Piece, subwords } from "./subword.js";
import { cut, isSpace, replaceAll, slice, type Tracked, track } from "./tracked.js";

/** The `normalizer` and `pre_tokenizer` of tokenizer.json, which name the kind of every step. */
export interface StageConfigs {
  readonly normalizer: StageConfig | null;
  readonly pre_tokenizer: StageConfig | null;
}

/** A token of the text itself; `added` when the text spells out a token that was added to the vocabulary. */
export interface TracedToken extends Piece {
  readonly added?: Added;
}

export interface Trace {
  readonly tokens: TracedToken[];
  /** For every UTF-16 unit of the text: whether the model's vocabulary got to see it. False = the normalizer removed it. */
  readonly seen: boolean[];
}

/** Runs the stages of the library one by one, in its order, and carries the spans along. */
export function trace(text: string, stages: Stages, configs: StageConfigs): Trace {
  const seen = new Array<boolean>(text.length).fill(false);
  const tokens: TracedToken[] = [];
  const see = (t: Tracked) => {
    for (const [i, start] of t.starts.entries()) seen.fill(true, start, t.ends[i]!);
  };
  const literal = (t: Tracked): boolean => {
    const added = stages.added_tokens_map.get(t.text);
    if (added) {
      tokens.push({ token: t.text, start: t.starts[0]!, end: Math.max(...t.ends), added });
      see(t);
    }
    return added !== undefined;
  };
  const sections = split(track(text), stages.splitter_unnormalized, stages);
  for (const [index, section] of sections.entries()) {
    if (section.text === "" || literal(section)) continue;
    const normalized = normalizedBy(section, stages, configs);
    see(normalized);
    for (const part of split(normalized, stages.splitter_normalized, stages)) {
      if (part.text === "" || literal(part)) continue;
      const pieces = stages.pre_tokenizer
        ? preTokenize(part, stages.pre_tokenizer, configs.pre_tokenizer!, index)
        : [part];
      const found = pieces.flatMap((piece) => subwords(stages.model, piece));
      for (const token of fuseUnknown(stages.model, found)) tokens.push(token);
    }
  }
  return { tokens, seen };
}

/** Cuts the text at added tokens; white space beside them goes where they ask for it. */
function split(t: Tracked, splitter: Stages["splitter_normalized"], stages: Stages): Tracked[] {
  const parts = cut(t, splitter.split(t.text));
  for (const [i, part] of parts.entries()) {
    const added = stages.added_tokens_map.get(part.text);
    const before = parts[i - 1];
    const after = parts[i + 1];
    if (added?.lstrip && before) parts[i - 1] = slice(before, 0, before.text.trimEnd().length);
    if (added?.rstrip && after) parts[i + 1] = slice(after, after.text.length - after.text.trimStart().length);
  }
  return parts;
}

function normalizedBy(section: Tracked, stages: Stages, configs: StageConfigs): Tracked {
  let t = section;
  if (stages.remove_space === true) {
    const start = t.text.length - t.text.trimStart().length;
    t = replaceAll(slice(t, start, Math.max(start, t.text.trimEnd().length)), /\s+/gu, " ");
  }
  if (stages.do_lowercase_and_remove_accent) {
    t = aligned(t, (text) => text.toLowerCase().replace(/\p{M}/gu, ""));
  }
  return stages.normalizer ? normalize(t, stages.normalizer, configs.normalizer!) : t;
}

/**
 * Makes spans disjoint, ordered and free of white space at their ends. A character that several tokens share (the bytes of
 * an emoji, the two letters of a ligature) belongs to the first of them; the others get an empty span at its end. Characters that
 * the normalizer removed belong to the token they touch, the one before first. What still has no token is returned.
 */
export function settle(text: string, { tokens, seen }: Trace): { spans: Piece[]; dropped: Piece[] } {
  let cursor = 0;
  const spans = tokens.map(({ token, start, end }) => {
    let from = Math.max(start, cursor);
    let to = Math.max(end, from);
    if (!isSpace(text.slice(from, to))) {
      while (isSpace(text[from]!)) from++;
      while (isSpace(text[to - 1]!)) to--;
    }
    cursor = to;
    return { token, start: from, end: to };
  });
  const dropped: Piece[] = [];
  const removed = (i: number) => !seen[i] && !isSpace(text[i]!);
  for (let i = -1; i < spans.length; i++) {
    const before = spans[i];
    const after = spans[i + 1];
    let from = before?.end ?? 0;
    let to = after?.start ?? text.length;
    if (before && before.end > before.start) while (from < to && removed(from)) before.end = ++from;
    if (after && after.end > after.start) while (from < to && removed(to - 1)) after.start = --to;
    while (from < to) {
      let next = from;
      while (next < to && !isSpace(text[next]!)) next++;
      if (next > from) dropped.push({ token: "", start: from, end: next });
      from = next + 1;
    }
  }
  return { spans, dropped };
}
