/**
 * Text on its way through a tokenizer. Every UTF-16 unit remembers the span of the original string it was made from;
 * a unit that the tokenizer added (a prefix space, say) has an empty span.
 */
export interface Tracked {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A string before anything happened to it. */
export function track(text: string): Tracked {
  const starts = Array.from({ length: text.length }, (_, i) => i);
  return { text, starts, ends: starts.map((i) => i + 1) };
}

/** The units `from` to `to`. */
export function slice(t: Tracked, from: number, to = t.text.length): Tracked {
  return { text: t.text.slice(from, to), starts: t.starts.slice(from, to), ends: t.ends.slice(from, to) };
}

/** Parts one after the other. */
export function concat(parts: readonly Tracked[]): Tracked {
  return {
    text: parts.map((p) => p.text).join(""),
    starts: parts.flatMap((p) => p.starts),
    ends: parts.flatMap((p) => p.ends),
  };
}

/** Text that the tokenizer added at place `at` of the original. */
export function inserted(text: string, at: number): Tracked {
  const starts = new Array<number>(text.length).fill(at);
  return { text, starts, ends: starts };
}

/**
 * `text` in place of `t`: unit by unit where the lengths agree, in proportion otherwise. The result is in order and covers
 * all that `t` covered, so what is lost in the worst case is precision inside `t`.
 */
export function replaced(t: Tracked, text: string): Tracked {
  const from = t.text.length;
  const to = text.length;
  if (text === t.text) return t;
  if (from === 0) return inserted(text, 0);
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < to; i++) {
    starts.push(t.starts[Math.floor((i * from) / to)]!);
    ends.push(t.ends[Math.ceil(((i + 1) * from) / to) - 1]!);
  }
  return { text, starts, ends };
}

/** Every match of `pattern` replaced by `content`, spans kept. An empty match adds text. */
export function replaceAll(t: Tracked, pattern: RegExp | string, content: string): Tracked {
  const expression = typeof pattern === "string" ? new RegExp(literal(pattern), "gu") : pattern;
  const parts: Tracked[] = [];
  let last = 0;
  for (const match of t.text.matchAll(expression)) {
    const end = match.index + match[0].length;
    parts.push(slice(t, last, match.index));
    parts.push(
      match[0] === ""
        ? inserted(content, t.starts[match.index] ?? t.ends.at(-1) ?? 0)
        : replaced(slice(t, match.index, end), content),
    );
    last = end;
  }
  return concat([...parts, slice(t, last)]);
}

/** Neighbouring slices with the lengths of `pieces`, which must add up to the text. */
export function cut(t: Tracked, pieces: readonly string[]): Tracked[] {
  let at = 0;
  return pieces.map((piece) => {
    at += piece.length;
    return slice(t, at - piece.length, at);
  });
}

/** White space as people see it, with the old "next line" control. */
export const isSpace = (unit: string): boolean => /^[\s\u0085]*$/u.test(unit);

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
