/** Heads that say something at every token: what their positions and classes are, and how a target names them. */
import type { TextTokenizer, Token } from "@vitrail/text";
import type { Findings } from "vitrail/node";
import type { TextSample } from "../input/text-sample.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { parseClass } from "./wanted.js";

export type TokenHead =
  /** Token classification: a label for every token, [batch, tokens, labels]. */
  | "labels"
  /** A language model: the next (or masked) token, [batch, tokens, vocabulary]. */
  | "vocabulary"
  /** Question answering: a score for every token, [batch, tokens]. */
  | "tokens";

/** The kind of head; undefined for a model that says one thing about a whole text. */
export function tokenHeadOf(
  { inputs, outputs, metadata }: Findings,
  { config, labels }: ModelFiles,
): TokenHead | undefined {
  const [, tokens] = inputs.find(({ name }) => name === metadata.explains)?.dims ?? [];
  const [, positions, classes] = outputs.find(({ name }) => name === metadata.output)?.dims ?? [];
  const architecture = config?.architectures?.join() ?? "";
  if (tokens === undefined || tokens !== positions) return undefined;
  // A classifier of fixed length may happen to have as many classes as tokens.
  if (classes === undefined)
    return typeof tokens === "string" || /QuestionAnswering/.test(architecture) ? "tokens" : undefined;
  if (/TokenClassification/.test(architecture)) return "labels";
  if (/CausalLM|LMHead|MaskedLM/.test(architecture)) return "vocabulary";
  return labels || (typeof classes === "number" && classes < 1000) ? "labels" : "vocabulary";
}

/** The tokens at the beginning of which a word or phrase stands, or the one that an index names. */
export function tokensAt(where: string, { encoding }: TextSample): number[] {
  const { tokens } = encoding.whole;
  if (/^\d+$/.test(where) && Number(where) < tokens.length) return [Number(where)];
  const special = tokens.flatMap((token, i) => (token.special && token.token === where ? [i] : []));
  if (special.length > 0) return special;
  for (const fold of [(text: string) => text, (text: string) => text.toLowerCase()]) {
    const found = encoding.texts.flatMap((text, segment) =>
      occurrences(fold(text), fold(where)).flatMap((start) => {
        const at = tokens.findIndex((token) => token.segment === segment && token.start <= start && start < token.end);
        return at < 0 ? [] : [at];
      }),
    );
    if (found.length > 0) return [...new Set(found)];
  }
  return [];
}

/** The one token that `where` names. */
export function tokenAt(where: string, sample: TextSample): number {
  const found = tokensAt(where, sample);
  const at = `target "${where}"`;
  if (found.length === 1) return found[0]!;
  const { tokens } = sample.encoding.whole;
  if (found.length === 0) {
    const why = `it is no word of the text, and no index of its ${tokens.length} tokens`;
    throw problem("E084", { at, why, try: "a word as it stands in the text" });
  }
  const list = found.map((token) => `${token} ("…${around(tokens[token]!, sample)}…")`).join(", ");
  throw problem("E084", { at, why: `it stands at several tokens: ${list}`, try: "the index" });
}

const around = ({ segment, start, end }: Token, { encoding }: TextSample): string =>
  (encoding.texts[segment ?? 0] ?? "").slice(Math.max(0, start - 10), end + 10);

/** Where `part` stands in `text` with no letter or digit running on at either side. */
function occurrences(text: string, part: string): number[] {
  const found: number[] = [];
  const inner = (i: number) => /[\p{L}\p{M}\p{N}]/u.test(text[i] ?? "") && /[\p{L}\p{M}\p{N}]/u.test(text[i - 1] ?? "");
  for (let at = text.indexOf(part); part !== "" && at >= 0; at = text.indexOf(part, at + 1))
    if (!inner(at) && !inner(at + part.length)) found.push(at);
  return found;
}

/** A token of the vocabulary: its id, its entry (`Ġparis`, `##ing`), or a word that is one token. */
export function tokenId(text: string, tokenizer: TextTokenizer, count: number): number {
  if (/^\d+$/.test(text) && Number(text) < count) return Number(text);
  const entry = tokenizer.idOf(text);
  // After a space first: that is how a word goes on.
  const pieces = [` ${text}`, text].map((each) =>
    tokenizer.tokenize(each).tokens.filter(({ text }) => text.trim() !== ""),
  );
  const whole = pieces.find((tokens) => tokens.length === 1 && !tokens[0]!.unknown);
  const id = whole?.[0]?.id ?? entry;
  if (id !== undefined && id < count) return id;
  const parts = pieces[0]!.map((token) => `"${token.text}"`).join(", ");
  const why = pieces[0]!.some(({ unknown }) => unknown)
    ? "the vocabulary lacks it"
    : `it is ${pieces[0]!.length} tokens: ${parts}`;
  throw problem("E084", { at: `target "${text}"`, why, try: "the first of its tokens, or the id of a token" });
}

/** A class of one token: a label, or a token of the vocabulary. */
export function classOf(
  text: string,
  head: TokenHead,
  sample: TextSample,
  { labels, count }: { labels?: readonly string[] | undefined; count: number },
): number {
  return head === "vocabulary" ? tokenId(text, sample.tokenizer, count) : parseClass(text, { labels, count });
}
