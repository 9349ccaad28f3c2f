/** Pictures against prompts, by the command line as it was built. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { withVector } from "vitrail";
import { createExplainer, type ExplanationDocument, tensor } from "vitrail/node";
import { temporaryFolder, vitrailHere } from "./command-line.js";
import { pairFolder } from "./pair-models.js";

const prompts = ["a red cat", "a dog", "cat and dog"];
const asked = prompts.flatMap((prompt) => ["--prompt", prompt]);
/** Well conditioned in float32, where attribution keeps three digits on random pixels (decision record 7). */
const method = "generic-attention";
const picture = join(temporaryFolder(), "photo.png");
let combined: string;
let split: string;

beforeAll(async () => {
  combined = pairFolder("combined");
  split = pairFolder("split");
  const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 7919 + Math.floor(i / 90) * 31) % 256);
  await sharp(data, { raw: { width: 16, height: 16, channels: 3 } })
    .png()
    .toFile(picture);
});

async function explain(...args: string[]): Promise<ExplanationDocument[]> {
  const { code, stdout, stderr } = await vitrailHere(["explain", ...args, "--json"]);
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout);
  return report.explanations ?? [report];
}

async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await vitrailHere(["explain", ...args]);
  expect(code).toBe(2);
  return stderr;
}

/** The picture as the small models take it: no resizing is left to do. */
async function pixels() {
  const raw = await sharp(picture).removeAlpha().raw().toBuffer();
  const [mean, std] = [
    [0.48145466, 0.4578275, 0.40821073],
    [0.26862954, 0.26130258, 0.27577711],
  ];
  const values = Float32Array.from({ length: 768 }, (_, i) => {
    const [channel, at] = [Math.floor(i / 256), i % 256];
    return (raw[at * 3 + channel]! / 255 - mean![channel]!) / std![channel]!;
  });
  return tensor(values, [1, 3, 16, 16]);
}

/** The prompts by hand: ids of the test's own vocabulary, padded with the end token. */
const [start, end, a, red, cat, dog] = [58, 59, 26, 57, 53, 55];
const rows = [
  [start, a, red, cat, end, end, end],
  [start, a, dog, end, end, end, end],
  [start, cat, 0, 13, 29, dog, end],
];
const ids = tensor(BigInt64Array.from(rows.flat(), BigInt), [3, 7]);
const mask = tensor(
  BigInt64Array.from(rows.flatMap((row) => row.map((_, i) => (i <= row.indexOf(end!) ? 1n : 0n)))),
  [3, 7],
);

/** Beside the largest value. */
const near = (found: readonly number[], wanted: ArrayLike<number>, digits: number) => {
  const size = Math.max(...Array.from(wanted, Math.abs));
  expect(found.length).toBe(wanted.length);
  for (const [i, value] of found.entries()) expect(value / size).toBeCloseTo(wanted[i]! / size, digits);
};

describe("one file", () => {
  test("a map and coloured words for every prompt are those of the start logits_per_image[0, prompt]", async () => {
    const documents = await explain(combined, picture, ...asked, "-m", method);
    const explainer = await createExplainer(join(combined, "onnx", "model.onnx"), {
      method,
      explains: ["pixel_values", "input_ids"],
    });
    const feeds = { input_ids: ids, attention_mask: mask, pixel_values: await pixels() };
    for (const [index, document] of documents.entries()) {
      const found = await explainer.explain(feeds, { target: index });
      expect(document.target).toMatchObject({ index, label: prompts[index] });
      near([document.target.logit!], [found.logits.data[index] as number], 4);
      near(document.map.values, found.toTokens().slice(1), 4);
      const length = rows[index]!.indexOf(end!) + 1;
      near(
        document.tokens!.map(({ value }) => value),
        found.by("input_ids")!.toTokens(index).slice(0, length),
        4,
      );
      // Other texts get nothing, so a map cannot depend on them.
      for (const other of [0, 1, 2].filter((row) => row !== index))
        expect(Math.max(...found.by("input_ids")!.toTokens(other).map(Math.abs))).toBe(0);
    }
    await explainer.close();
    const shares = documents.map(({ target }) => target.probability!);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect(documents[0]!.input).toMatchObject({ kind: "picture", prompts });
  });

  test("words keep their places in the prompt", async () => {
    const [document] = await explain(combined, picture, "--prompt", "A  Red CAT");
    expect(document!.tokens!.map(({ text, start, end, special }) => [text, start, end, special])).toEqual([
      ["<|startoftext|>", 0, 0, true],
      ["A", 0, 1, false],
      ["Red", 3, 6, false],
      ["CAT", 7, 10, false],
      ["<|endoftext|>", 0, 0, true],
    ]);
    // One prompt alone has no share of anything.
    expect(document!.target.probability).toBeNull();
  });

  test("a contrast is the difference of two maps, with the words of both", async () => {
    const [plus, minus, contrast] = await explain(
      combined,
      picture,
      ...asked,
      "-t",
      "0",
      "-t",
      "a dog",
      "--contrast",
      "0:a dog",
    );
    near(
      contrast!.map.values,
      plus!.map.values.map((value, i) => value - minus!.map.values[i]!),
      5,
    );
    expect(contrast!.target).toMatchObject({ index: null, label: "a red cat rather than a dog" });
    expect(contrast!.tokens!.map(({ segment }) => segment)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect(contrast!.tokens!.map(({ value }) => value)).toEqual(
      [...plus!.tokens!, ...minus!.tokens!].map(({ value }) => value),
    );
  });

  test("of a linear method the contrast is the map of +1 and -1", async () => {
    const [contrast] = await explain(combined, picture, ...asked, "--contrast", "0:1", "-m", "gradient-x-input");
    const explainer = await createExplainer(join(combined, "onnx", "model.onnx"), {
      method: "gradient-x-input",
      target: "weights",
    });
    const feeds = { input_ids: ids, attention_mask: mask, pixel_values: await pixels() };
    const found = await explainer.explain(feeds, { target: Float32Array.of(1, -1, 0) });
    await explainer.close();
    near(contrast!.map.values, found.toTokens(), 4);
  });

  test("a method of many runs hides one word at a time", async () => {
    const [document] = await explain(combined, picture, "--prompt", "a dog", "-m", "occlusion");
    const explainer = await createExplainer(join(combined, "onnx", "model.onnx"), { method: "attention-rollout" });
    const image = { pixel_values: await pixels() };
    const logit = async (...row: number[]) => {
      const feeds = {
        input_ids: tensor(BigInt64Array.from(row, BigInt), [1, row.length]),
        attention_mask: tensor(new BigInt64Array(row.length).fill(1n), [1, row.length]),
      };
      return (await explainer.predict({ ...image, ...feeds })).logits_per_image!.data[0] as number;
    };
    const whole = await logit(start!, a!, dog!, end!);
    near([document!.target.logit!], [whole], 4);
    const hidden = document!.method.options.maskToken as number;
    const drops = [whole - (await logit(start!, hidden, dog!, end!)), whole - (await logit(start!, a!, hidden, end!))];
    await explainer.close();
    near(
      document!.tokens!.slice(1, 3).map(({ value }) => value),
      drops,
      3,
    );
  });

  test("files: a picture and a page for each prompt, a sheet of all", async () => {
    const out = temporaryFolder();
    const { code, stdout } = await vitrailHere(["explain", combined, picture, ...asked.slice(0, 4), "-o", out]);
    expect(code).toBe(0);
    expect(
      readdirSync(out)
        .map((name) => name.replace("photo__transformer-attribution__", ""))
        .sort(),
    ).toEqual([
      "0-a-red-cat.html",
      "0-a-red-cat.json",
      "0-a-red-cat.png",
      "1-a-dog.html",
      "1-a-dog.json",
      "1-a-dog.png",
      "sheet.html",
      "sheet.png",
    ]);
    const page = readFileSync(join(out, "photo__transformer-attribution__sheet.html"), "utf8");
    expect(page).toMatch(
      /<img src="data:image\/png;base64,[^"]{1000,}" alt="\d+ % of the positive relevance for a red cat/,
    );
    expect(page.match(/<article/g)).toHaveLength(2);
    expect(page).toMatch(/aria-label="dog, relevance [^"]+, rank \d of 2"/);
    expect(stdout).toMatch(/relevance for a dog lies in \d+ of 16 patches/);
    expect(stdout).toMatch(/for a dog lies in \d of 2 words/);
  });

  test("--explains keeps to one tower, -t to some prompts, a file may hold them", async () => {
    const file = join(temporaryFolder(), "prompts.txt");
    writeFileSync(file, `${prompts.join("\n")}\n\n`);
    const [words] = await explain(combined, picture, "--prompt-file", file, "-t", "top1", "--explains", "input_ids");
    expect(words!.map.shape).toEqual([words!.tokens!.length]);
    expect(words!.map.values).toEqual(words!.tokens!.map(({ value }) => value));
    const [map] = await explain(combined, picture, "--prompt-file", file, "-t", "top1", "--explains", "pixel_values");
    expect(map!.tokens).toBeUndefined();
    expect(map!.map.grid).toEqual([4, 4]);
    expect(map!.target).toEqual(words!.target);
  });

  test("the same model by another exporter gives the same maps", async () => {
    const [ours, theirs] = await Promise.all(
      [combined, pairFolder("optimum")].map((folder) => explain(folder, picture, ...asked, "-m", "generic-attention")),
    );
    for (const [index, document] of ours!.entries()) near(document.map.values, theirs![index]!.map.values, 4);
  });

  test("what does not fit is cut with a word about it", async () => {
    const [document] = await explain(combined, picture, "--prompt", "cat and dog and red cat and red dog");
    expect(document!.warnings.join()).toMatch(/did not see the last word, from "dog"/);
  });
});

describe("two files", () => {
  test("the cosine is the combined file's logit without its scale", async () => {
    const [one, two] = [await explain(combined, picture, ...asked), await explain(split, picture, ...asked)];
    const scales = one.map(({ target }, index) => target.logit! / two[index]!.target.logit!);
    for (const scale of scales) expect(scale / scales[0]!).toBeCloseTo(1, 4);
    expect(two[0]!.target.probability).toBeNull();
    expect(two[0]!.warnings.join()).toMatch(/cosine/);
  });

  test("the start of each tower is the other's embedding", async () => {
    const [, document] = await explain(split, picture, ...asked, "-m", method);
    const open = (name: string, output: string) => {
      const model = withVector(readFileSync(join(split, "onnx", name)), { output, pooling: "class" });
      return createExplainer(model.bytes, { method, target: "weights", output: model.output });
    };
    const vision = await open("vision_model.onnx", "image_embeds");
    const text = await open("text_model.onnx", "text_embeds");
    const image = { pixel_values: await pixels() };
    const prompt = { input_ids: tensor(ids.data.slice(7, 14), [1, 7]) };
    const u = (await vision.predict(image))[vision.metadata.output]!.data as Float32Array;
    const t = (await text.predict(prompt))[text.metadata.output]!.data as Float32Array;
    expect(Math.hypot(...u)).toBeCloseTo(1, 5);
    near(document!.map.values, (await vision.explain(image, { target: t })).toTokens().slice(1), 4);
    near(
      document!.tokens!.map(({ value }) => value),
      (await text.explain(prompt, { target: u })).toTokens().slice(0, 4),
      4,
    );
    await Promise.all([vision.close(), text.close()]);
  });

  test("are found from the vision file too, and one tower may be enough", async () => {
    const file = join(split, "onnx", "vision_model.onnx");
    const [document] = await explain(file, picture, "--prompt", "a dog", "--explains", "pixel_values");
    expect(document!.tokens).toBeUndefined();
    expect(await refused(split, picture, "--prompt", "a dog", "--explains", "mask")).toMatch(
      /pixel_values and input_ids/,
    );
  });
});

test("SigLIP judges every prompt by itself, and says what lies on padding", async () => {
  const documents = await explain(pairFolder("siglip"), picture, "--prompt", "a red cat", "--prompt", "a dog");
  for (const { target } of documents) expect(target.probability).toBeCloseTo(1 / (1 + Math.exp(-target.logit!)), 5);
  expect(documents[1]!.tokens!.map(({ text }) => text)).toEqual(["a", "dog", "</s>"]);
  expect(documents[1]!.warnings.join()).toMatch(/\d+ % of the relevance in "a dog" lies on padding/);
});

test("what is missing or does not fit is said", async () => {
  const cells = new URL("../../models/blood-cells", import.meta.url).pathname;
  expect(await refused(combined, picture)).toMatch(/E091[\s\S]*--prompt/);
  expect(await refused(combined, "--prompt", "a dog")).toMatch(/no picture to compare/);
  expect(await refused(combined, picture, "--prompt", "a dog", "--text", "x")).toMatch(/goes with pictures alone/);
  expect(await refused(cells, picture, "--prompt", "a dog")).toMatch(/does not compare pictures with texts/);
  expect(await refused(combined, picture, "--prompt", " ")).toMatch(/every prompt is empty/);
  expect(await refused(combined, picture, "--prompt", "a dog", "-t", "a cow")).toMatch(/E084[\s\S]*a dog/);
  expect(await refused(combined, picture, ...asked, "--contrast", "0:1", "--explains", "input_ids")).toMatch(
    /about the picture/,
  );
});
