/** Targets that lie at a word, and heads without classes. Small random models with seeded weights. */
import { describe, expect, test } from "vitest";
import { byteLevel } from "../support/tokenizer.js";
import { temporaryFolder, vitrail, vitrailHere } from "./command-line.js";
import { folder, json, oneScore, type Token, valuesOf } from "./text-models.js";

describe("a label at a token", () => {
  const id2label = { 0: "O", 1: "PER", 2: "LOC", 3: "ORG", 4: "a:b" };
  const config = { architectures: ["BertForTokenClassification"], id2label, max_position_embeddings: 24 };
  const tagger = folder("bert_token_cls/ts-op17-eager.onnx", { "config.json": config });
  const text = "Angela met John in Paris in login.";
  const explain = (...args: string[]) => json(["explain", tagger, "--text", text, ...args]);

  test("is named by word or index and label, and read at that token", async () => {
    const [byWord, byIndex] = [await explain("-t", "Paris:LOC"), await explain("-t", "5:2")];
    expect(byWord.target).toMatchObject({
      index: [5, 2],
      label: "LOC",
      at: { token: 5, text: "Paris", start: 19, end: 24 },
    });
    expect(byIndex.map).toEqual(byWord.map);
    expect(byWord.target.probability).toBeGreaterThan(0);
    const elsewhere = await explain("-t", "John:LOC");
    expect(elsewhere.target.index).toEqual([3, 2]);
    expect(elsewhere.map).not.toEqual(byWord.map);
    expect((await explain("-t", "Paris:a:b")).target).toMatchObject({ index: [5, 4], label: "a:b" });
  });

  test("a word of several tokens is its first; a word alone, a label alone and predicted find the rest", async () => {
    expect((await explain("-t", "login:PER")).target.at).toMatchObject({ token: 7, text: "log" });
    const { explanations } = await explain("-t", "Angela", "-t", "ORG", "-t", "predicted", "-t", "met:top2");
    const [word, label, predicted, ...two] = explanations.map((each: { target: object }) => each.target);
    expect(word.at.text).toBe("Angela");
    expect(label.label).toBe("ORG");
    expect(predicted.probability).toBeGreaterThan(0.2);
    expect(two.map(({ at }: { at: Token }) => at.text)).toEqual(["met", "met"]);
    expect(two[0].logit).toBeGreaterThan(two[1].logit);
  });

  test("is held against another label: what speaks for the one speaks against the other", async () => {
    for (const method of ["transformer-attribution", "attn-lrp"]) {
      const [there, back] = [
        await explain("--contrast", "John:PER:LOC", "-m", method),
        await explain("--contrast", "John:LOC:PER", "-m", method),
      ];
      expect(there.target).toMatchObject({ index: null, weights: [{ index: 1 }, { index: 2 }], at: { text: "John" } });
      const [a, b] = [valuesOf(there), valuesOf(back)];
      expect(Math.max(...a.map(Math.abs))).toBeGreaterThan(1e-5);
      const largest = Math.max(...a.map(Math.abs));
      for (const [i, value] of a.entries()) expect(Math.abs(value + b[i]!) / largest, method).toBeLessThan(1e-3);
    }
  });

  test.each([
    ["in:PER", /stands at several tokens: 4 .* 6 /],
    ["Angel:PER", /"Angel"[\s\S]*no word of the text/],
    ["Angela:PERS", /did you mean "PER"/],
    ["Angela:9", /5 classes, 0 to 4/],
  ])("%s is refused", async (target, message) => {
    const ran = await vitrailHere(["explain", tagger, "--text", text, "-t", target, "--json"]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test("of a long text in the window around it: words outside have the value 0, and that is said", async () => {
    const long = `${"How do I reset my password? ".repeat(6)}Angela met John.`;
    const document = await json(["explain", tagger, "--text", long, "-t", "Angela:PER"]);
    const at = document.tokens.findIndex((token: Token) => token.text === "Angela");
    expect(document.target.index).toEqual([at, 1]);
    expect(document.warnings).toEqual([
      expect.stringMatching(/tokens in \d overlapping windows/),
      expect.stringMatching(/"Angela" is explained in window 3 of 3/),
    ]);
    const values = valuesOf(document);
    expect(values.slice(1, 20).every((value) => value === 0)).toBe(true);
    expect(Math.max(...values.slice(at - 5))).toBeGreaterThan(0);
  });
});

describe("where an answer starts", () => {
  const config = { architectures: ["BertForQuestionAnswering"], max_position_embeddings: 24 };
  const reader = folder("bert_qa/ts-op17-eager.onnx", { "config.json": config });
  const args = ["explain", reader, "--text", "who met John?", "--text-pair", "Angela met John in Paris."];

  test("is a token of the second text unless it is named", async () => {
    const predicted = await json(args);
    expect(predicted.tokens[predicted.target.index].segment).toBe(1);
    const { explanations } = await json([...args, "-t", "Paris", "-t", "who"]);
    expect(explanations.map((each: { target: object }) => each.target)).toMatchObject([
      { index: 10, label: "Paris", at: { text: "Paris" } },
      { index: 1, label: "who", at: { text: "who" } },
    ]);
    expect(explanations[0].map).not.toEqual(explanations[1].map);
    const end = await json([...args, "-t", "Paris", "--output", "end_logits"]);
    expect(end.target.logit).not.toBe(explanations[0].target.logit);
  });

  test("is said in words, beside the tokens with the highest scores", async () => {
    const { code, stdout } = await vitrail([...args, "-t", "Paris", "-o", temporaryFolder()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/start of the answer:\n.* %/);
    expect(stdout).toContain('of the positive relevance for start of the answer at "Paris" lies in');
  });
});

describe("the next token", () => {
  const words = ["the", " cat", " sat", " mat", " on"];
  const config = { architectures: ["GPT2LMHeadModel"], n_positions: 24 };
  const files = { "config.json": config, "tokenizer.json": byteLevel(words) };
  const writer = folder("gpt2_lm/ts-op17-eager-slim.onnx", files);
  const explain = (...args: string[]) => json(["explain", writer, "--text", "the cat sat on the", ...args]);

  test("is named by its text or id, at the end of the text", async () => {
    const [byText, byId] = [await explain("-t", "mat"), await explain("-t", "35")];
    expect(byText.target).toMatchObject({ index: [5, 35], label: '" mat"', at: { text: "the" } });
    expect(byId.map).toEqual(byText.map);
    const { explanations } = await explain("-t", "top3");
    expect(explanations).toHaveLength(3);
    expect(explanations[0].target.logit).toBeGreaterThan(explanations[1].target.logit);
    const earlier = await explain("-t", "cat:sat");
    expect(earlier.target.index).toEqual([1, 34]);
    // A decoder does not see what comes later.
    expect(valuesOf(earlier).slice(2)).toEqual([0, 0, 0, 0]);
    const held = await explain("--contrast", "mat:cat");
    expect(held.target.label).toBe('next token " mat" rather than " cat"');
  });

  test("a word of several tokens, or one that is not there, is refused with its tokens", async () => {
    const ran = await vitrailHere(["explain", writer, "--text", "the cat", "-t", "dog", "--json"]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/3 tokens: "d", "o", "g"/)]);
  });

  test("the prediction is the top next tokens", async () => {
    const { stdout } = await vitrail(["explain", writer, "--text", "the cat", "-o", temporaryFolder()]);
    expect(stdout).toMatch(/next token:\n +".+" +\d+\.\d %/);
  });
});

describe("classes held against each other", () => {
  test("gives the difference of two maps", async () => {
    const model = folder("bert/ts-op17-eager.onnx");
    const explain = (...args: string[]) => json(["explain", model, "--text", "How do I reset my password?", ...args]);
    const [one, other, held] = [await explain("-t", "1"), await explain("-t", "3"), await explain("--contrast", "1:3")];
    const [a, b, c] = [valuesOf(one), valuesOf(other), valuesOf(held)];
    const largest = Math.max(...c.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-4);
    for (const [i, value] of c.entries()) expect(Math.abs(value - (a[i]! - b[i]!)) / largest).toBeLessThan(1e-3);
  });
});

describe("one number instead of classes", () => {
  const regression = folder("bert/ts-op17-eager.onnx", {}, oneScore());
  const args = ["explain", regression, "--text", "How do I reset my password?"];

  test("is explained as a higher score, without a probability", async () => {
    const document = await json([...args, "--output", "score"]);
    const asClass = await json([...args, "--output", "logits", "-t", "2"]);
    expect(document.target).toMatchObject({ index: 0, probability: null, logit: asClass.target.logit });
    expect(document.map).toEqual(asClass.map);
    const { stdout } = await vitrail([...args, "--output", "score", "-o", temporaryFolder()]);
    expect(stdout).toMatch(/of the positive relevance for a higher score lies in/);
    expect(stdout).toMatch(/^ +score +-?\d/m);
  });
});
