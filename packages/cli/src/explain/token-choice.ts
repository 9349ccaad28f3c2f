/**
 * Which class at which token a target means. `[WHERE:]WHAT`: WHERE is a word of the text or the index of a token, WHAT a label, a
 * token of the vocabulary, `predicted` or `topK`. Without WHERE: for a language model what comes next (or stands behind the mask),
 * else the token that has most of it.
 */
import type { TextSample } from "../input/text-sample.js";
import { problem } from "../problem.js";
import { ranked, type Scored } from "./prediction.js";
import { classOf, type TokenHead, tokenAt, tokensAt } from "./token-head.js";

/** A token of the whole text, a class of it (of question answering the token itself), and the class it is held against. */
export interface TokenChoice {
  token: number;
  index: number;
  minus?: number;
}

/** What the model says of one text, asked for token by token. */
export interface Said {
  sample: TextSample;
  /** Scores of all classes at a token; of question answering those of all tokens. */
  at: (token: number) => Scored[];
}

export class TokenChooser {
  constructor(
    private readonly head: TokenHead,
    private readonly labels: readonly string[] | undefined,
    private readonly said: Said,
  ) {}

  /** A target in words. */
  choose(text: string): TokenChoice[] {
    const count = countIn(text);
    if (count) return this.best(count);
    if (this.head === "tokens") return [this.itself(text)];
    return attempt(text, (where, what) => {
      if (where !== undefined) return this.atWord(tokenAt(where, this.said.sample), what);
      // A word alone asks for what is said of it.
      const words = this.head === "labels" && !this.labels?.includes(what) ? tokensAt(what, this.said.sample) : [];
      return words.length === 1 && !/^\d+$/.test(what) ? this.atWord(words[0]!, "predicted") : [this.somewhere(what)];
    });
  }

  /** `[WHERE:]A:B`. */
  contrast(text: string): TokenChoice {
    return attempt(text, (before, minus) => {
      if (before === undefined) {
        throw problem("E080", { at: `--contrast ${text}`, why: "it names one class only", try: "--contrast A:B" });
      }
      if (this.head === "tokens") return { ...this.itself(before), minus: this.itself(minus).index };
      const plus = attempt(before, (where, what) =>
        where === undefined ? this.somewhere(what) : this.atWord(tokenAt(where, this.said.sample), what)[0]!,
      );
      return { ...plus, minus: this.classOf(minus, plus.token) };
    });
  }

  private itself(word: string): TokenChoice {
    const token = tokenAt(word, this.said.sample);
    return { token, index: token };
  }

  private atWord(token: number, what: string): TokenChoice[] {
    const count = countIn(what);
    if (!count) return [{ token, index: this.classOf(what, token) }];
    return ranked(this.said.at(token))
      .slice(0, count)
      .map(({ index }) => ({ token, index }));
  }

  private somewhere(what: string): TokenChoice {
    const usual = this.usual();
    const tokens = usual === undefined ? this.candidates() : [usual];
    const index = this.classOf(what, tokens[0]!);
    const scored = tokens.map((token) => ({ token, logit: this.said.at(token)[index]!.logit }));
    return { token: scored.reduce((a, b) => (b.logit > a.logit ? b : a)).token, index };
  }

  /** What the model says most surely, one class for each token; "O" (outside) says nothing where something else is said. */
  private best(count: number): TokenChoice[] {
    const usual = this.usual();
    if (usual !== undefined) return this.atWord(usual, `top${count}`);
    const tokens = this.candidates();
    if (this.head === "tokens") {
      const own = new Set(tokens);
      const order = ranked(this.said.at(0)).filter(({ index }) => own.has(index));
      return order.slice(0, count).map(({ index }) => ({ token: index, index }));
    }
    const tops = tokens.map((token) => ({ token, ...ranked(this.said.at(token))[0]! }));
    const named = tops.filter(({ label }) => label !== "O");
    const order = (named.length > 0 ? named : tops).sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0));
    return order.slice(0, count).map(({ token, index }) => ({ token, index }));
  }

  /** Where a language model is asked: at the mask, or at the end. */
  private usual(): number | undefined {
    if (this.head !== "vocabulary") return undefined;
    const { tokens } = this.said.sample.encoding.whole;
    const mask = tokens.findIndex(({ token, special }) => special && /mask/i.test(token));
    return mask >= 0 ? mask : tokens.length - 1;
  }

  /** Tokens that may be meant where none is named: those of the text, of a pair those of the second. */
  private candidates(): number[] {
    const { texts, whole } = this.said.sample.encoding;
    const own = whole.tokens.flatMap((token, i) => (!token.special && token.segment === texts.length - 1 ? [i] : []));
    if (own.length > 0) return own;
    throw problem("E092", { at: this.said.sample.name, why: "it holds no word", try: "a text with words" });
  }

  private classOf(text: string, token: number): number {
    const { sample, at } = this.said;
    return classOf(text, this.head, sample, { labels: this.labels, count: at(token).length });
  }
}

/** `predicted` or `topK`. */
function countIn(text: string): number | undefined {
  const top = /^(?:predicted|top[- ]?([1-9]\d*))$/i.exec(text);
  return top ? Number(top[1] ?? 1) : undefined;
}

/** A word or label may hold a colon itself: as it is first, then cut at every colon. The first that can be understood counts. */
function attempt<T>(text: string, read: (before: string | undefined, after: string) => T): T {
  const cuts = [...text.matchAll(/:/g)].map(({ index }) => [text.slice(0, index), text.slice(index + 1)] as const);
  const failures: unknown[] = [];
  for (const [before, after] of [[undefined, text] as const, ...cuts.toReversed()]) {
    try {
      return read(before, after);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.at(-1);
}
