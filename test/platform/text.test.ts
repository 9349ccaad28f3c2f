/** Texts on the command line: similarity, pairs, and targets that lie at a word. Small random models with seeded weights. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Feeds, tensor } from "vitrail/node";
import { groupByShape, padded, type Sample, stack } from "../../packages/cli/src/explain/sample.js";
import { ModelWriter } from "../support/model.js";
import { byteLevel, wordPiece } from "../support/tokenizer.js";
import { temporaryFolder, vitrail, vitrailHere } from "./command-line.js";

const WORDS =
  "how do i reset my password ? forgot log ##in credentials please help , angela met john in paris who .".split(" ");

/** A folder as transformers.js has it, around a model of the collection. */
function folder(model: string, files: Record<string, object> = {}, appended: Uint8Array = new Uint8Array()): string {
  const path = join(temporaryFolder(), "model");
  mkdirSync(path);
  const bytes = readFileSync(new URL(`../collection/${model}`, import.meta.url));
  writeFileSync(join(path, "model.onnx"), Buffer.concat([bytes, appended]));
  for (const [name, content] of Object.entries({ "tokenizer.json": wordPiece(WORDS), ...files }))
    writeFileSync(join(path, name), JSON.stringify(content));
  return path;
}

async function json(args: readonly string[]) {
  const { code, stdout, stderr } = await vitrailHere([...args, "--json", "--quiet"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

describe("similarity", () => {
  const sentence = folder("sentence/ts-op17-eager.onnx");
  const [a, b] = ["How do I reset my password?", "I forgot my login credentials, please help"];

  test("explains both texts, each by the other, with one similarity", async () => {
    const out = temporaryFolder();
    const args = ["explain", sentence, "--text", a, "--similar-to", b];
    const { code, stdout } = await vitrail([...args, "-o", out, "-f", "html,csv"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/similarity -?\d\.\d\d to I forgot my login/);
    expect(stdout).toMatch(/vectors: sentence_embedding, divided by its length/);
    expect(stdout).toContain('of the positive relevance for similarity to "How do I');
    expect(readdirSync(out).sort()).toEqual([
      "other__transformer-attribution__similar-to-text.csv",
      "other__transformer-attribution__similar-to-text.html",
      "text__transformer-attribution__sheet.html",
      "text__transformer-attribution__similar-to-other.csv",
      "text__transformer-attribution__similar-to-other.html",
    ]);
    const page = readFileSync(join(out, "text__transformer-attribution__sheet.html"), "utf8");
    expect(page.match(/<article/g)).toHaveLength(2);
    for (const word of ["password", "credentials"]) expect(page).toContain(`>${word}</span>`);
    const { explanations } = await json(args);
    expect(explanations[0].target.similarTo).toMatchObject({ name: b, vector: /divided/ });
    expect(explanations[0].target.logit).toBeCloseTo(explanations[1].target.logit, 6);
    expect(explanations[0].tokens.map(({ text }: { text: string }) => text)).toContain("password");
    expect(explanations[1].tokens.map(({ text }: { text: string }) => text)).toContain("credentials");
    expect(explanations[0].model.bytes).toBe(readFileSync(join(sentence, "model.onnx")).length);
    const swapped = await json(["explain", sentence, "--text", b, "--similar-to", a]);
    expect(swapped.explanations[1].map).toEqual(explanations[0].map);
  });

  test("a text is as similar as can be to itself; several are compared with each", async () => {
    const { explanations } = await json([
      "explain",
      sentence,
      "--text",
      a,
      "--text",
      b,
      "--similar-to",
      a,
      "--similar-to",
      b,
    ]);
    expect(explanations).toHaveLength(8);
    const similarities = explanations.map((each: { target: { logit: number } }) => each.target.logit);
    expect(similarities[0]).toBeCloseTo(1, 5);
    expect(similarities[2]).toBeLessThan(0.999);
  });

  test("pictures alike", async () => {
    const out = temporaryFolder();
    const pictures = ["00031-176-0", "00366-0-0"].map((name) =>
      fileURLToPath(new URL(`../../models/blood-cells/samples/BloodImage_${name}.png`, import.meta.url)),
    );
    const model = fileURLToPath(new URL("../../models/blood-cells", import.meta.url));
    const { code, stdout } = await vitrail(["explain", model, pictures[0]!, "--similar-to", pictures[1]!, "-o", out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/similarity -?\d\.\d\d to/);
    expect(readdirSync(out).filter((name) => name.endsWith(".png"))).toHaveLength(2);
  });

  test.each([
    [["--similar-to", "x", "-t", "0"], /not a class/],
    [["--similar-to", "x", "--contrast", "0:1"], /not a class/],
    [["--pooling", "mean"], /how --similar-to makes a vector/],
    [["a.jpg", "--similar-to", "x"], /only texts with texts/],
  ])("%j is refused", async (args, message) => {
    const ran = await vitrailHere(["explain", sentence, "--text", "how", ...args, "-o", temporaryFolder()]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(message);
  });
});

describe("pairs of texts", () => {
  const pair = folder("bert/ts-op17-eager.onnx");

  test("have their own spans and types, and are both shown", async () => {
    const out = temporaryFolder();
    const args = ["explain", pair, "--text", "who met John?", "--text-pair", "Angela met John in Paris.", "-t", "1"];
    const document = await json([...args, "-o", out]);
    expect(document.input).toMatchObject({ name: "who met John? | Angela met John in Paris.", size: [13, 25] });
    const texts = ["who met John?", "Angela met John in Paris."];
    const tokens: { text: string; start: number; end: number; segment: 0 | 1 | null }[] = document.tokens;
    for (const { text, start, end, segment } of tokens)
      if (segment !== null) expect(texts[segment]!.slice(start, end)).toBe(text);
    expect(tokens.map(({ segment }) => segment)).toEqual([null, 0, 0, 0, 0, null, 1, 1, 1, 1, 1, 1, null]);
    const page = readFileSync(join(out, "text__transformer-attribution__1.html"), "utf8");
    for (const word of ["who", "Angela"]) expect(page).toContain(`>${word}</span>`);
    const alone = await json(["explain", pair, "--text", "who met John? Angela met John in Paris.", "-t", "1"]);
    expect(alone.target.logit).not.toBeCloseTo(document.target.logit, 3);
  });

  test("come from a .jsonl file too, one for one", async () => {
    const file = join(temporaryFolder(), "pairs.jsonl");
    writeFileSync(file, '{"text": "who", "text_pair": "Angela"}\n{"text": "help"}\n');
    const { explanations } = await json(["explain", pair, "--text-file", file]);
    expect(explanations.map((each: { input: object }) => each.input)).toMatchObject([
      { name: "who | Angela" },
      { name: "help" },
    ]);
    writeFileSync(file, '{"text": "who"}\n{"txt": "help"}\n');
    const bad = await vitrailHere(["explain", pair, "--text-file", file]);
    expect(bad.code).toBe(4);
    expect(bad.stderr).toMatch(/pairs\.jsonl:2[\s\S]*no text/);
    const uneven = await vitrailHere(["explain", pair, "--text", "a", "--text", "b", "--text-pair", "c"]);
    expect(uneven.code).toBe(2);
    expect(uneven.stderr).toMatch(/1 for 2 --text/);
  });
});

interface Token {
  text: string;
  value: number;
  special: boolean;
}
const valuesOf = ({ tokens }: { tokens: Token[] }): number[] => tokens.map(({ value }) => value);

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

describe("one number instead of classes", () => {
  const m = new ModelWriter({ opset: 17 });
  const at = m.weights([2], [1], "int64", "score_index");
  m.output(m.op("Gather", ["logits", at], { axis: 1 }, ["score"]), "float32", ["batch", 1]);
  const regression = folder("bert/ts-op17-eager.onnx", {}, m.bytes());
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

describe("many texts in one run", () => {
  const texts = [
    "How do I reset my password?",
    "who",
    "I forgot my login credentials, please help",
    "Angela met John in Paris.",
  ];
  const file = join(temporaryFolder(), "texts.txt");
  writeFileSync(file, texts.join("\n"));

  test.each([
    ["BERT, padded on the right", "bert/ts-op17-eager.onnx", wordPiece(WORDS), {}],
    ["a sentence vector's mean", "sentence/dynamo-op18-sdpa.onnx", wordPiece(WORDS), {}],
    ["RoBERTa: positions by counting", "roberta/ts-op17-eager.onnx", wordPiece(WORDS), {}],
    ["a decoder that reads its last token, which runs alone", "gpt2/ts-op17-eager.onnx", wordPiece(WORDS), {}],
    [
      "padding in front, which would move positions",
      "bert/ts-op17-eager.onnx",
      wordPiece(WORDS),
      { padding_side: "left" },
    ],
  ])("of different lengths give what they give alone: %s", async (_, model, tokenizer, config) => {
    const path = folder(model, { "tokenizer.json": tokenizer, "tokenizer_config.json": config });
    const run = (size: string) => json(["explain", path, "--text-file", file, "-t", "3", "--batch-size", size]);
    const [alone, together] = [await run("1"), await run("4")];
    for (const [i, one] of alone.explanations.entries()) {
      const beside = together.explanations[i];
      expect(beside.tokens.map(({ text }: Token) => text)).toEqual(one.tokens.map(({ text }: Token) => text));
      expect(beside.target.logit).toBeCloseTo(one.target.logit, 4);
      const largest = Math.max(...valuesOf(one).map(Math.abs));
      for (const [t, value] of valuesOf(one).entries())
        expect(Math.abs(value - valuesOf(beside)[t]!) / largest).toBeLessThan(0.01);
    }
  });

  test("share a run only where the model can tell padding", async () => {
    const samples = [3, 5, 4].map((length) => fakeSample(length));
    const groups = groupByShape(
      samples,
      ({ parts }) => parts[0]!,
      8,
      (sample) => sample,
    );
    expect(groups).toHaveLength(1);
    const feeds = stack(padded(samples.map((sample) => ({ sample, feeds: sample.parts[0]! }))));
    expect(feeds.input_ids!.dims).toEqual([3, 5]);
    const unpadded = samples.map(({ pad: _, ...sample }) => sample);
    expect(
      groupByShape(
        unpadded,
        ({ parts }) => parts[0]!,
        8,
        (sample) => sample,
      ),
    ).toHaveLength(3);
  });
});

describe("words are never lost in silence", () => {
  const model = folder("bert/ts-op17-eager.onnx", { "config.json": { max_position_embeddings: 16 } });
  const long = Array.from({ length: 40 }, (_, i) => WORDS[(i * 7) % 9]).join(" ");

  test("a long text keeps every word, with a value for each, and says how", async () => {
    const document = await json(["explain", model, "--text", long, "-t", "1"]);
    const own = document.tokens.filter(({ special }: Token) => !special);
    expect(own.map(({ text }: Token) => text).join(" ")).toBe(long);
    expect(own.every(({ value }: Token) => value !== 0)).toBe(true);
    expect(document.warnings).toEqual([expect.stringMatching(/42 tokens in \d overlapping windows of at most 16/)]);
  });

  test("of a pair the second is cut in windows and the first stands in each", async () => {
    const document = await json(["explain", model, "--text", "who ?", "--text-pair", long, "-t", "1"]);
    const own = document.tokens.filter(({ special }: Token) => !special);
    expect(own).toHaveLength(42);
    expect(document.warnings).toEqual([expect.stringMatching(/overlapping windows/)]);
  });

  test("similarity takes the mean of a long text's windows", async () => {
    const sentence = folder("sentence/ts-op17-eager.onnx", { "config.json": { max_position_embeddings: 16 } });
    const { explanations } = await json(["explain", sentence, "--text", long, "--similar-to", "reset my password"]);
    const own = explanations[0].tokens.filter(({ special }: Token) => !special);
    expect(own).toHaveLength(40);
    expect(own.filter(({ value }: Token) => value === 0).length).toBeLessThan(3);
    expect(explanations[0].warnings).toEqual([expect.stringMatching(/overlapping windows/)]);
  });
});

describe("units", () => {
  test("tokens, words or sentences, as asked for and as said", async () => {
    const model = folder("bert/ts-op17-eager.onnx");
    const text = "How do I log in? I forgot my login credentials. Please help";
    const rows = async (...args: string[]) => {
      const out = temporaryFolder();
      const { code, stdout } = await vitrailHere([
        "explain",
        model,
        "--text",
        text,
        "-t",
        "1",
        "-f",
        "csv,html",
        "-o",
        out,
        ...args,
      ]);
      expect(code).toBe(0);
      const [csv, html] = ["csv", "html"].map((format) =>
        readFileSync(join(out, `text__transformer-attribution__1.${format}`), "utf8"),
      );
      return {
        stdout,
        html,
        rows: csv!
          .trim()
          .split("\r\n")
          .slice(1)
          .filter((line) => !line.includes(",true,")),
      };
    };
    const [tokens, words, sentences] = [await rows("--unit", "token"), await rows(), await rows("--unit", "sentence")];
    expect([tokens.rows, words.rows, sentences.rows].map(({ length }) => length)).toEqual([15, 14, 3]);
    expect(sentences.stdout).toMatch(/lies in \d of 3 sentences/);
    expect(sentences.html).toContain("A sentence&#39;s value is the sum of its tokens".replace("&#39;", "'"));
    const valueFor = (lines: string[], word: string) =>
      Number(
        lines
          .find((line) => line.endsWith(`,${word}`))!
          .split(",")
          .at(-2),
      );
    const pieces = ["log", "in"]
      .map((piece) =>
        tokens.rows
          .findLast((line) => line.endsWith(`,${piece}`))!
          .split(",")
          .at(-2),
      )
      .map(Number);
    expect(valueFor(words.rows, "login")).toBeCloseTo(Math.max(...pieces), 10);
    const summed = await rows("--combine", "sum");
    expect(valueFor(summed.rows, "login")).toBeCloseTo(pieces[0]! + pieces[1]!, 10);
  });
});

function fakeSample(length: number): Sample {
  const ids = tensor(new BigInt64Array(length).fill(7n), [1, length]);
  const pad = (_: Feeds, wide: number) => ({ input_ids: tensor(new BigInt64Array(wide), [1, wide]) });
  return { kind: "text", name: "", stem: "", sha256: "", size: [], parts: [{ input_ids: ids }], pad };
}
