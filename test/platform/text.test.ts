/** Texts on the command line: similarity, pairs, and targets that lie at a word. Small random models with seeded weights. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { wordPiece } from "../support/tokenizer.js";
import { temporaryFolder, vitrail, vitrailHere } from "./command-line.js";

const WORDS =
  "how do i reset my password ? forgot log ##in credentials please help , angela met john in paris who .".split(" ");

/** A folder as transformers.js has it, around a model of the collection. */
function folder(model: string, files: Record<string, object> = {}): string {
  const path = join(temporaryFolder(), "model");
  mkdirSync(path);
  copyFileSync(fileURLToPath(new URL(`../collection/${model}`, import.meta.url)), join(path, "model.onnx"));
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
