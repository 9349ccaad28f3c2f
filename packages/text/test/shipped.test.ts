import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTokenizer, encode, maxLengthOf, toUnits } from "../src/index.js";

const folder = new URL("../../../models/toxic-sentences/", import.meta.url);
const text = (name: string) => readFileSync(new URL(name, folder), "utf8");
const json = (name: string) => JSON.parse(text(name));

interface Sentence {
  id: string;
  text: string;
  label: 0 | 1;
  spans: [number, number][];
}
const sentences = (name: string): Sentence[] =>
  text(name)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const tokenizer = createTokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
const all = [...sentences("samples/sentences.jsonl"), ...sentences("test-split/sentences.jsonl")];

describe("the text set that ships", () => {
  it("has both labels, spans inside the text, and spans exactly where the label is toxic", () => {
    expect(all.filter(({ label }) => label === 1).length).toBeGreaterThanOrEqual(600);
    expect(all.filter(({ label }) => label === 0).length).toBeGreaterThanOrEqual(600);
    for (const { text, label, spans } of all) {
      expect(spans.length > 0).toBe(label === 1);
      for (const [start, end] of spans) {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
      }
    }
  });

  it("every non-space character is in exactly one token, and every gold span touches one", () => {
    for (const { id, text, spans } of all) {
      const { tokens, dropped } = tokenizer.tokenize(text);
      const hits = new Array<number>(text.length).fill(0);
      let cursor = 0;
      for (const { start, end } of [...tokens, ...dropped].sort((a, b) => a.start - b.start)) {
        expect(start, id).toBeGreaterThanOrEqual(cursor);
        for (let i = start; i < end; i++) hits[i]!++;
        cursor = end;
      }
      for (let i = 0; i < text.length; i++) if (/\S/.test(text[i]!)) expect(hits[i], `${id} at ${i}`).toBe(1);
      for (const [from, to] of spans)
        expect(
          tokens.some(({ start, end }) => start < to && end > from),
          id,
        ).toBe(true);
    }
  });

  it("fits the model in one row, and words keep their tokens", () => {
    const maxLength = maxLengthOf(tokenizer, json("config.json"));
    expect(maxLength).toBe(160);
    for (const { text } of all) {
      const { rows, texts, whole, dropped } = encode(tokenizer, text, { maxLength });
      expect(rows).toHaveLength(1);
      expect(dropped).toEqual([]);
      const words = toUnits(texts, whole.tokens, new Float32Array(whole.tokens.length));
      expect(words.flatMap((word) => word.tokens)).toEqual(whole.tokens.map((_, i) => i));
    }
  });
});
