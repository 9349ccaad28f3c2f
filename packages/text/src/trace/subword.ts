import { TextError } from "../errors.js";
import type { Model } from "./library.js";
import type { Tracked } from "./tracked.js";

/** One token of the vocabulary and the span of the original that it stands for. */
export interface Piece {
  token: string;
  start: number;
  end: number;
}

/**
 * Splits one pre-token into tokens and gives each the part it consumed. How much text the model left out because it has
 * neither a token nor an unknown token for it is what no piece covers.
 */
export function subwords(model: Model, t: Tracked): Piece[] {
  const tokens: { token: string; length: number }[] = [];
  if (model.bpe) bytePairs(model, t.text, tokens);
  else {
    const out = model.encode([t.text]);
    const prefix = model.config.continuing_subword_prefix;
    const whole = out.length === 1 && out[0] === model.unk_token;
    for (const [i, token] of out.entries()) {
      const own = prefix !== undefined && i > 0 ? token.slice(prefix.length) : token;
      tokens.push({ token, length: whole ? t.text.length : own.length });
    }
  }
  let at = 0;
  const pieces = tokens
    .map(({ token, length }) => {
      at += length;
      return { token, ...span(t, at - length, at) };
    })
    .filter(({ token }) => token !== NOTHING);
  if (tokens.length && at !== t.text.length) {
    throw new TextError(
      "T002",
      `internal: "${t.text}" does not equal its tokens`,
      "report this text and tokenizer.json",
    );
  }
  return pieces;
}

/** Stands for text that the vocabulary has nothing for. No token is the empty string. */
const NOTHING = "";

function bytePairs(model: Model, text: string, tokens: { token: string; length: number }[]): void {
  const has = (token: string) => model.tokens_to_ids.has(token);
  if (model.config.ignore_merges && has(text)) {
    tokens.push({ token: text, length: text.length });
    return;
  }
  const parts = model.bpe!(text);
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    const suffix = last ? model.end_of_word_suffix : model.continuing_subword_suffix;
    const length = part.length - (suffix?.length ?? 0);
    if (has(part)) {
      tokens.push({ token: part, length });
      continue;
    }
    const bytes = model.config.byte_fallback ? model.encode([part]) : [];
    if (bytes.length > 1 || (bytes[0] !== undefined && bytes[0] !== model.unk_token)) {
      // The first byte carries the character.
      for (const [j, token] of bytes.entries()) tokens.push({ token, length: j === 0 ? length : 0 });
    } else {
      tokens.push({ token: model.unk_token ?? NOTHING, length });
    }
  }
}

function span(t: Tracked, from: number, to: number): { start: number; end: number } {
  if (from === to) {
    const at = from > 0 ? t.ends[from - 1]! : (t.starts[0] ?? 0);
    return { start: at, end: at };
  }
  let end = t.ends[from]!;
  for (let i = from; i < to; i++) end = Math.max(end, t.ends[i]!);
  return { start: t.starts[from]!, end };
}

/** Runs of unknown tokens as one token, as the library does it for models with `fuse_unk`. */
export function fuseUnknown(model: Model, pieces: readonly Piece[]): Piece[] {
  if (!model.fuse_unk) return [...pieces];
  const unknown = (token: string) => (model.tokens_to_ids.get(token) ?? model.unk_token_id) === model.unk_token_id;
  const fused: Piece[] = [];
  let open = false;
  for (const piece of pieces) {
    const last = fused.at(-1);
    if (last && open && unknown(piece.token)) {
      if (model.tokens_to_ids.get(last.token) !== model.unk_token_id) last.token += piece.token;
      last.end = Math.max(last.end, piece.end);
    } else {
      fused.push({ ...piece });
      open = unknown(piece.token);
    }
  }
  return fused;
}
