import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenizer, type TextTokenizer, type Tokenized } from "../src/index.js";

const read = (name: string) => JSON.parse(readFileSync(new URL(`./tokenizers/${name}.json`, import.meta.url), "utf8"));
const names = ["wordpiece", "byte-level", "unigram", "clip", "byte-fallback"] as const;
const tokenizers = new Map<string, TextTokenizer>(names.map((name) => [name, createTokenizer(read(name))]));

interface Known {
  text: string;
  ids: number[];
  tokens: string[];
  offsets: [number, number][];
}
const known: Record<string, Known[]> = read("offsets");

const isSpace = (text: string) => /^[\s\u0085]*$/u.test(text);

/** What is promised of spans, whatever the text and the tokenizer. */
function hold(text: string, { tokens, dropped }: Tokenized): void {
  let cursor = 0;
  const covered = new Array<boolean>(text.length).fill(false);
  for (const { start, end } of tokens) {
    expect(start).toBeGreaterThanOrEqual(cursor);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(text.length);
    covered.fill(true, start, end);
    cursor = end;
  }
  for (const { start, end, text: lost } of dropped) {
    expect(covered.slice(start, end)).not.toContain(true);
    expect(lost).toBe(text.slice(start, end));
    covered.fill(true, start, end);
  }
  for (let i = 0; i < text.length; i++) if (!isSpace(text[i]!)) expect(covered[i], `unit ${i}`).toBe(true);
  for (const { start, end, text: shown, token } of tokens) expect(shown).toBe(text.slice(start, end) || token);
}

describe.each(names)("spans of %s", (name) => {
  const tokenizer = tokenizers.get(name)!;

  it("never overlap, are in order and cover every character, on random Unicode", () => {
    const texts = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.string({ unit: "binary", maxLength: 60 }),
      fc
        .array(
          fc.oneof(
            fc.constantFrom(
              " ",
              "  ",
              "\n",
              "\u200d",
              "\u0301",
              "İ",
              "Σ",
              "ﬁ",
              "가",
              "ᄀ",
              "ᅡ",
              "ｶﾞ",
              "👩‍🚀",
              "[MASK]",
              "</s>",
            ),
            fc.string({ unit: "grapheme", maxLength: 6 }),
          ),
          { maxLength: 20 },
        )
        .map((parts) => parts.join("")),
      // Lone surrogates too: a text that was cut by a program that counts units.
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes)),
    );
    fc.assert(
      fc.property(texts, (text) => hold(text, tokenizer.tokenize(text))),
      { numRuns: 500 },
    );
  });

  it("drop nothing but what the normalizer removes or the vocabulary lacks", () => {
    for (const { text } of known[name]!) {
      if (text.includes("\u00ad") || text.includes("\u200b")) continue;
      expect(tokenizer.tokenize(text).dropped).toEqual([]);
    }
  });

  it.each(known[name]!.filter(({ text }) => !text.includes("Σ")))(
    "agree with the Python library: $text",
    ({ text, ids, offsets }) => {
      const { tokens } = tokenizer.tokenize(text);
      expect(tokens.map((token) => token.id)).toEqual(ids);
      let cursor = 0;
      for (const [i, [from, to]] of offsets.entries()) {
        const { start, end } = tokens[i]!;
        // The rules in which the two differ: no white space at the ends, shared characters go to the first token, a
        // combining mark belongs to its letter, a prefix that the tokenizer added has no characters.
        let [a, b] = [Math.max(from, cursor), Math.max(to, from, cursor)];
        while (a < b && isSpace(text[a]!)) a++;
        while (a < b && isSpace(text[b - 1]!)) b--;
        const prefix = tokens[i]!.token === "▁" && start === end;
        if (!isSpace(text.slice(from, to)) && !prefix) {
          if (a < b) expect(start, `start of token ${i}`).toBe(a);
          else expect(start, `token ${i} is empty`).toBe(end);
          expect(text.slice(b, end), `end of token ${i}`).toMatch(/^[\p{M}\p{Cf}]*$/u);
          expect(end).toBeGreaterThanOrEqual(b);
        }
        cursor = end;
      }
    },
  );
});

describe("single cases", () => {
  const spans = (name: string, text: string) =>
    tokenizers
      .get(name)!
      .tokenize(text)
      .tokens.map(({ token, start, end }) => [token, start, end]);

  it("WordPiece: accents and upper case", () => {
    expect(spans("wordpiece", "Café").map(([, start, end]) => [start, end])).toEqual([[0, 4]]);
    const decomposed = spans("wordpiece", "Cafe\u0301");
    expect(decomposed.at(-1)!.slice(1)).toEqual([0, 5]);
  });

  it("WordPiece: marks behind characters that are set apart or taken apart belong to them", () => {
    expect(spans("wordpiece", "ŧ\u0353佶\u0320\u033bο").map(([, start, end]) => [start, end])).toEqual([
      [0, 2],
      [2, 5],
      [5, 6],
    ]);
    const [first, ...others] = spans("wordpiece", "건\u0311 x");
    expect(first!.slice(1)).toEqual([0, 2]);
    for (const token of others.slice(0, -1)) expect(token.slice(1)).toEqual([2, 2]);
  });

  it("bytes of one character: the first token has it, the others are empty at its end", () => {
    const tokens = spans("byte-level", "a😀b");
    expect(tokens[1]!.slice(1)).toEqual([1, 3]);
    for (const token of tokens.slice(2, -1)) expect(token.slice(1)).toEqual([3, 3]);
    expect(tokens.at(-1)!.slice(1)).toEqual([3, 4]);
  });

  it("the prefix that SentencePiece adds has no characters, a real space is not part of the word", () => {
    const tokens = spans("unigram", "quiz the");
    expect(tokens[0]!.slice(1)).toEqual([0, 0]);
    expect(tokens.at(-1)!.slice(2)).toEqual([8]);
    expect(tokens.every(([, start]) => start !== 4)).toBe(true);
  });

  it("one character that becomes several goes to the first token", () => {
    const tokens = spans("unigram", "½");
    expect(tokens.map(([, start, end]) => `${start}-${end}`).filter((span) => span === "0-1")).toHaveLength(1);
  });

  it("special tokens in the text are special, unknown words are unknown", () => {
    const { tokens } = tokenizers.get("wordpiece")!.tokenize("the [MASK] ☂");
    expect(tokens.map(({ special, unknown }) => [special, unknown])).toEqual([
      [false, false],
      [true, false],
      [false, true],
    ]);
    expect(tokens[1]).toMatchObject({ start: 4, end: 10, text: "[MASK]" });
    expect(tokens[2]).toMatchObject({ start: 11, end: 12, text: "☂", token: "[UNK]" });
  });

  it("characters the normalizer removes belong to the token they touch, or are reported", () => {
    const tokenizer = tokenizers.get("wordpiece")!;
    expect(tokenizer.tokenize("the\u0000 \u0000").dropped).toEqual([
      { start: 5, end: 6, segment: 0, text: "\u0000", reason: "tokenizer" },
    ]);
    expect(tokenizer.tokenize("the\u0000 \u0000").tokens[0]).toMatchObject({ start: 0, end: 4 });
  });

  it("normalizers that look further than one character keep the place", () => {
    const json = read("unigram");
    json.normalizer = {
      type: "Sequence",
      normalizers: [{ type: "Strip", strip_left: true, strip_right: true }, { type: "Lowercase" }, { type: "NFKC" }],
    };
    const text = "  ΟΔΥΣΣΕΥΣ the ﬁne ";
    const { tokens } = createTokenizer(json).tokenize(text);
    hold(text, createTokenizer(json).tokenize(text));
    expect(
      tokens.some(({ start, end }) => text.slice(start, end).startsWith("the") || text.slice(start, end) === "t"),
    ).toBe(true);
    expect(tokens.at(-1)!.end).toBe(text.length - 1);
  });

  it("Precompiled normalizers of SentencePiece models", () => {
    const json = read("unigram");
    json.normalizer = {
      type: "Sequence",
      normalizers: [{ type: "Precompiled" }, { type: "Replace", pattern: { Regex: " {2,}" }, content: " " }],
    };
    const tokenizer = createTokenizer(json);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => hold(text, tokenizer.tokenize(text))),
    );
  });
});
