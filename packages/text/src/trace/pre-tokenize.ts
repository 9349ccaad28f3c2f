import type { PreTokenizer, StageConfig } from "./library.js";
import { concat, cut, inserted, replaceAll, slice, type Tracked } from "./tracked.js";

/** Splits text into the pieces that the model sees, spans kept. */
export function preTokenize(t: Tracked, step: PreTokenizer, config: StageConfig, section: number): Tracked[] {
  if (config.type === "Sequence") {
    const steps = (step as unknown as { tokenizers: PreTokenizer[] }).tokenizers;
    const configs = config.pretokenizers as StageConfig[];
    return steps.reduce<Tracked[]>(
      (pieces, each, i) => pieces.flatMap((piece) => preTokenize(piece, each, configs[i]!, section)),
      [t],
    );
  }
  const out = step.pre_tokenize(t.text, { section_index: section });
  switch (config.type) {
    case "ByteLevel":
      return cut(withPrefix(toBytes(t), out.join(""), t), out).map((piece, i) => ({ ...piece, text: out[i]! }));
    case "Metaspace": {
      const mark = String(config.str_rep || (config.replacement ?? "▁"));
      return out.map((text) => withPrefix(replaceAll(t, " ", mark), text, t));
    }
    case "Replace": {
      const { pattern } = step as unknown as { pattern: RegExp | null };
      return pattern ? [replaceAll(t, pattern, String(config.content ?? ""))] : [t];
    }
    default:
      return substrings(t, out);
  }
}

/** `t`, with what `text` has in front of it (a prefix space) as added text. */
function withPrefix(t: Tracked, text: string, original: Tracked): Tracked {
  const added = text.length - t.text.length;
  return added > 0 ? concat([inserted(text.slice(0, added), original.starts[0] ?? 0), t]) : t;
}

/** Pieces that stand in the text as they are, in their order. */
function substrings(t: Tracked, pieces: readonly string[]): Tracked[] {
  let at = 0;
  return pieces.map((piece) => {
    const start = Math.max(at, t.text.indexOf(piece, at));
    at = start + piece.length;
    return slice(t, start, at);
  });
}

/** One unit per UTF-8 byte, each with the span of its whole character. The units' own text does not matter here. */
function toBytes(t: Tracked): Tracked {
  const starts: number[] = [];
  const ends: number[] = [];
  let unit = 0;
  for (const character of t.text) {
    const last = unit + character.length - 1;
    for (let byte = 0; byte < byteLength(character.codePointAt(0)!); byte++) {
      starts.push(t.starts[unit]!);
      ends.push(t.ends[last]!);
    }
    unit = last + 1;
  }
  return { text: "-".repeat(starts.length), starts, ends };
}

/** UTF-8 length; a lone surrogate is written as U+FFFD, which also takes three bytes. */
function byteLength(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
