/** Texts on the command line: similarity, pairs, batches, long texts, units. Small random models with seeded weights. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Feeds, tensor } from "vitrail/node";
import { groupByShape, padded, type Sample, stack } from "../../packages/cli/src/explain/sample.js";
import { wordPiece } from "../support/tokenizer.js";
import { temporaryFolder, vitrail, vitrailHere } from "./command-line.js";
import { folder, json, type Token, valuesOf, WORDS } from "./text-models.js";

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

  test("a vector without anything to compare it with is refused with a hint", async () => {
    const ran = await vitrailHere(["explain", sentence, "--text", a, "-o", temporaryFolder()]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/a vector, not scores[\s\S]*--similar-to/)]);
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
