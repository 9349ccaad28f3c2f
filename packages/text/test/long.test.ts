/** Long texts, of any shape: what grows with the square of a text would take minutes here. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode, toUnits } from "../src/index.js";
import { characters, segmentStarts } from "../src/segment.js";
import { createTokenizer } from "../src/tokenizer.js";
import byteLevel from "./tokenizers/byte-level.json" with { type: "json" };

const length = 60_000;
const shapes = {
  "words without a full stop": "word and ".repeat(length / 9),
  "one word": "abcdefghij".repeat(length / 10),
  "signs without spaces": "汉字".repeat(length / 4),
  spaces: `a${" ".repeat(length)}b`,
  "empty lines": `${"\n".repeat(length)}a`,
  emoji: "😀".repeat(length / 4),
};

describe("in a few seconds", () => {
  const tokenizer = createTokenizer(byteLevel);
  test.each(Object.entries(shapes))(
    "%s",
    (_, text) => {
      const { texts, whole } = encode(tokenizer, text, { maxLength: 128 });
      const values = whole.tokens.map((_token, i) => i % 7);
      for (const unit of ["word", "sentence"] as const) {
        const units = toUnits(texts, whole.tokens, values, { unit });
        expect(units.flatMap(({ tokens }) => tokens)).toHaveLength(whole.tokens.length);
      }
    },
    30_000,
  );

  test.each([
    ["megabytes on one line", "word ".repeat(1_000_000), /T003[\s\S]*5000000 characters/],
    ["a letter with thousands of marks", `a${"\u0301".repeat(5000)}`, /T003[\s\S]*marks/],
  ])("%s are refused", (_, text, message) => {
    expect(() => encode(tokenizer, text)).toThrow(message);
  });
});

describe("pieces of a long text", () => {
  const plain = (text: string, granularity: "word" | "sentence" | "grapheme") =>
    Array.from(new Intl.Segmenter("und", { granularity }).segment(text), ({ index }) => index);
  const bits = fc.constantFrom(
    "a",
    "can't",
    " ",
    ". ",
    "3.5",
    "\u0301",
    "👩‍👩‍👧",
    "🇫🇷",
    "\r\n",
    "!?",
    "'",
    "e.g. ",
    "Ω",
  );

  test("are those of the whole", () => {
    const text = fc.array(bits, { minLength: 1500, maxLength: 3000 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.constantFrom("word" as const, "grapheme" as const, "sentence" as const), (whole, unit) => {
        const segmenter = new Intl.Segmenter("und", { granularity: unit });
        expect(segmentStarts(segmenter, whole)).toEqual(plain(whole, unit));
      }),
      { numRuns: 25 },
    );
  });

  test("may each be longer than a part", () => {
    const text = `${"a".repeat(30_000)} ${"b".repeat(9000)}`;
    expect(segmentStarts(new Intl.Segmenter("und", { granularity: "word" }), text)).toEqual([0, 30_000, 30_001]);
    expect(characters("e\u0301x")).toEqual(["e\u0301", "x"]);
  });
});
