import { TextError } from "./errors.js";
import type { Token } from "./token.js";

/** Tokens `from` up to, not including, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Covers a list of tokens with windows of at most `size`, neighbours sharing about `overlap` tokens. A window neither begins
 * nor ends inside a word unless the word alone fills half of it. The last window reaches back so that it is full.
 */
export function windows(tokens: readonly Token[], size: number, overlap = Math.floor(size / 4)): Range[] {
  if (size < 1 || overlap < 0 || overlap >= size) {
    throw new TextError("T003", `windows of ${size} tokens cannot share ${overlap}`, "choose 0 <= overlap < window");
  }
  const ranges: Range[] = [];
  let from = 0;
  while (true) {
    let to = Math.min(from + size, tokens.length);
    if (to === tokens.length) {
      const full = Math.max(ranges.at(-1) ? ranges.at(-1)!.from + 1 : 0, tokens.length - size);
      ranges.push({ from: Math.min(from, wordStartAfter(tokens, full, from)), to });
      return ranges;
    }
    while (to > from + Math.max(1, size / 2) && insideWord(tokens, to)) to--;
    if (insideWord(tokens, to)) to = Math.min(from + size, tokens.length);
    ranges.push({ from, to });
    let next = Math.max(from + 1, to - overlap);
    while (next > from + 1 && insideWord(tokens, next)) next--;
    from = insideWord(tokens, next) ? Math.max(from + 1, to - overlap) : next;
  }
}

function wordStartAfter(tokens: readonly Token[], at: number, limit: number): number {
  let start = at;
  while (start < limit && insideWord(tokens, start)) start++;
  return start;
}

const LETTER = /[\p{L}\p{M}\p{N}]/u;

/** Whether the border before token `i` has letters or digits on both sides and nothing between. */
function insideWord(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1];
  const after = tokens[i];
  if (!before || !after || before.end !== after.start) return false;
  return after.start === after.end || (LETTER.test(before.text.at(-1)!) && LETTER.test(after.text));
}
