import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readMetadata } from "vitrail";
import type { ExplanationDocument } from "vitrail/node";
import { ModelWriter } from "../support/model.js";
import { wordPiece } from "../support/tokenizer.js";
import { golden, temporaryFolder, vitrail, vitrailHere } from "./command-line.js";

const WORDS = "what a stupid thing to say i love this film very much it , . !".split(" ");

/** The command line as it was built, run as a process of its own. */
const spelling = golden("vit_a/models/timm_torchscript_op17.onnx");
const place = temporaryFolder();
const model = join(place, "cells");
const picture = join(place, "photo.png");
const other = join(place, "other.jpg");
const labels = ["white cell", "platelet", "red cell", "tabby, tabby cat", "e", "f", "g", "h", "i", "j"];

beforeAll(async () => {
  mkdirSync(join(model, "onnx"), { recursive: true });
  copyFileSync(spelling, join(model, "onnx", "model.onnx"));
  const id2label = Object.fromEntries(labels.map((label, index) => [index, label]));
  writeFileSync(join(model, "config.json"), JSON.stringify({ id2label }));
  const settings = { image_processor_type: "ViTImageProcessor", size: { height: 32, width: 32 }, resample: 2 };
  writeFileSync(join(model, "preprocessor_config.json"), JSON.stringify(settings));
  const pixels = (width: number, height: number) =>
    Buffer.from(Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919 + Math.floor(i / 90) * 31) % 256));
  await sharp(pixels(96, 64), { raw: { width: 96, height: 64, channels: 3 } })
    .png()
    .toFile(picture);
  await sharp(pixels(50, 80), { raw: { width: 50, height: 80, channels: 3 } })
    .jpeg()
    .toFile(other);
});

describe("explain", () => {
  test("writes a picture and JSON for every target, a sheet, and says a sentence", async () => {
    const out = temporaryFolder();
    const { code, stdout, stderr } = await vitrail(["explain", model, picture, "-t", "platelet", "-t", "0", "-o", out]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(readdirSync(out).sort()).toEqual([
      "photo__transformer-attribution__0-white-cell.json",
      "photo__transformer-attribution__0-white-cell.png",
      "photo__transformer-attribution__1-platelet.json",
      "photo__transformer-attribution__1-platelet.png",
      "photo__transformer-attribution__sheet.png",
    ]);
    expect(stdout).toMatch(/\d+ % of the positive relevance for platelet lies in \d+ of 16 patches, /);
    expect(stdout).toMatch(/platelet +\d+\.\d+ %/);
    const { width, format } = await sharp(join(out, "photo__transformer-attribution__sheet.png")).metadata();
    expect(format).toBe("png");
    expect(width).toBeGreaterThan(600);
  });

  test("gives one clean JSON document", async () => {
    const { code, stdout, stderr } = await vitrail(["explain", model, picture, "-t", "tabby cat", "--json"]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema: "vitrail/explanation@1",
      tool: { name: "vitrail" },
      model: { name: "cells", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      input: { name: "photo.png", kind: "picture", size: [96, 64], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      target: { index: 3, label: "tabby, tabby cat" },
      method: { id: "transformer-attribution", options: { startLayer: 0 }, classSpecific: true },
      map: { kind: "tokens", shape: [4, 4], grid: [4, 4] },
      stability: {
        weak: expect.any(Number),
        magnification: expect.any(Number),
        blocks: expect.any(Array),
        poor: false,
      },
      warnings: [],
    });
    const { values, min, max, sum } = document.map;
    expect(values).toHaveLength(16);
    expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
    expect(sum).toBeCloseTo(values.reduce((a: number, b: number) => a + b));
    expect(document.target.probability).toBeGreaterThan(0);
    expect(stderr).toMatch(/% of the positive relevance/);
  });

  test("says more when asked to, where there is more to say", async () => {
    const say = async (...args: string[]) =>
      (await vitrailHere(["explain", model, picture, "-t", "0", ...args, "-o", temporaryFolder()])).stdout;
    expect(await say("--verbose")).toMatch(
      /stability: rounding errors grow up to [\d.]+e\+\d times; .* block by block: 1\.00/,
    );
    expect(await say()).not.toMatch(/stability/);
    expect(await say("--verbose", "-m", "generic-attention")).not.toMatch(/stability/);
  });

  test("several explanations are a list, in order; equal batches do not change them", async () => {
    const run = async (batch: string) => {
      const args = ["explain", model, picture, other, "-t", "top2", "--json", "--quiet", "--batch-size", batch];
      const { code, stdout, stderr } = await vitrail(args);
      expect([code, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout).explanations;
    };
    const [alone, together] = [await run("1"), await run("8")];
    expect(alone.map(({ input }: { input: { name: string } }) => input.name)).toEqual([
      "photo.png",
      "photo.png",
      "other.jpg",
      "other.jpg",
    ]);
    for (const [index, each] of alone.entries()) {
      expect(together[index].target.index).toBe(each.target.index);
      expect(together[index].map.max / each.map.max).toBeCloseTo(1, 2);
    }
  });

  test("holds one class against another", async () => {
    const out = temporaryFolder();
    const args = ["explain", model, picture, "--contrast", "platelet:red cell", "-m", "generic-attention", "-o", out];
    const { code, stdout } = await vitrail([...args, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).target).toMatchObject({
      index: null,
      label: "platelet rather than red cell",
      weights: [
        { index: 1, weight: 1 },
        { index: 2, weight: -1 },
      ],
    });
    expect(readdirSync(out)).toContain("photo__generic-attention__1-vs-2-platelet-rather-than-red-cell.png");
  });

  test("several classes share a run and come as they do alone", async () => {
    const run = async (...targets: string[]): Promise<ExplanationDocument[]> => {
      const args = [
        "explain",
        model,
        picture,
        other,
        ...targets,
        "--batch-size",
        "2",
        "--json",
        "-m",
        "generic-attention",
      ];
      return JSON.parse((await vitrail(args)).stdout).explanations;
    };
    const together = await run("-t", "4", "-t", "6", "-t", "1", "-t", "0", "-t", "9");
    expect(together.map(({ target }) => target.index)).toEqual([4, 6, 1, 0, 9, 4, 6, 1, 0, 9]);
    const alone = [...(await run("-t", "4")), ...(await run("-t", "9"))];
    for (const [i, at] of [0, 5, 4, 9].entries()) {
      expect(together[at]!.input).toEqual(alone[i]!.input);
      expect(together[at]!.target).toEqual(alone[i]!.target);
      for (const [k, value] of together[at]!.map.values.entries())
        expect(value).toBeCloseTo(alone[i]!.map.values[k]!, 6);
    }
  });

  test("a contrast is the difference of the two maps, also where a start of +1 and -1 sums to nothing", async () => {
    const args = ["explain", model, picture, "-t", "1", "-t", "2", "--contrast", "1:2", "--json"];
    const { explanations } = JSON.parse((await vitrailHere(args)).stdout);
    const [plus, minus, contrast] = explanations.map(({ map }: { map: { values: number[] } }) => map.values);
    const largest = Math.max(...plus, ...minus);
    for (const [i, value] of contrast.entries()) expect(value / largest).toBeCloseTo((plus[i] - minus[i]) / largest, 5);
    expect(Math.max(...contrast.map(Math.abs))).toBeGreaterThan(largest / 100);
  });

  test("says both signs of a contrast", async () => {
    const { stdout } = await vitrail(["explain", model, picture, "--contrast", "1:2", "-o", temporaryFolder()]);
    expect(stdout).toMatch(/% of the positive relevance for platelet rather than red cell lies in/);
    expect(stdout).toMatch(
      /% of the negative relevance lies in \d+, .*\. In all \S+ speaks for it and \S+ against it\./,
    );
  });

  test("reads standard input, folders and other formats", async () => {
    const out = temporaryFolder();
    const piped = await vitrail(["explain", model, "-", "-f", "npy", "-o", out], { input: readFileSync(picture) });
    expect([piped.code, readdirSync(out).length]).toEqual([0, 1]);
    const folder = await vitrail(["explain", model, place, "-f", "json", "-o", temporaryFolder()]);
    expect(folder.code).toBe(0);
    expect(folder.stdout.match(/^\S+\.(png|jpg)$/gm)).toEqual(["other.jpg", "photo.png"]);
  });

  test("explains tensors of any model", async () => {
    const file = join(temporaryFolder(), "x.safetensors");
    writeFileSync(file, safetensors({ pixel_values: [2, 3, 32, 32] }));
    const { code, stdout } = await vitrail(["explain", spelling, "--tensors", file, "--json"]);
    expect(code).toBe(0);
    const { explanations } = JSON.parse(stdout);
    expect(explanations.map((each: { input: object }) => each.input)).toMatchObject([
      { name: "x.safetensors[0]", kind: "tensors" },
      { name: "x.safetensors[1]", kind: "tensors" },
    ]);
  });

  test("draws pixels for an input method", async () => {
    const out = temporaryFolder();
    const { code } = await vitrail(["explain", model, picture, "-m", "gradient-x-input", "-o", out]);
    expect(code).toBe(0);
    const json = JSON.parse(readFileSync(join(out, readdirSync(out).find((name) => name.endsWith(".json"))!), "utf8"));
    expect(json.map).toMatchObject({ kind: "input", shape: [3, 32, 32] });
  });
});

describe("compare", () => {
  test("lays methods beside each other, on a sheet, a page, as JSON and as a table", async () => {
    const out = temporaryFolder();
    const args = ["compare", model, picture, "-t", "platelet", "-t", "0", "-o", out, "--json"];
    const { code, stdout, stderr } = await vitrail(args);
    expect(code).toBe(0);
    const stem = "photo__comparison";
    expect(readdirSync(out).sort()).toEqual(["csv", "html", "json", "png"].map((ending) => `${stem}.${ending}`));
    const document = JSON.parse(stdout);
    expect(document).toEqual(JSON.parse(readFileSync(join(out, `${stem}.json`), "utf8")));
    expect(document).toMatchObject({ schema: "vitrail/comparison@1", model: { name: "cells" }, failures: [] });
    const { methods, comparisons, agreement } = document;
    expect(methods.map(({ id }: { id: string }) => id)).toContain("gradient-x-input");
    for (const { cost } of methods) expect(cost.forwards).toBeGreaterThan(0);
    expect(comparisons.map(({ target }: { target: { index: number } }) => target.index)).toEqual([1, 0]);
    for (const { unit, maps } of comparisons) {
      expect(unit).toBe("patches");
      for (const { shape } of maps) expect(shape).toEqual([4, 4]);
    }
    expect(agreement.pairs).toHaveLength((methods.length * (methods.length - 1)) / 2);
    for (const { spearman, n } of agreement.pairs) expect([Math.abs(spearman) <= 1, n]).toEqual([true, 2]);
    expect(
      readFileSync(join(out, `${stem}.csv`), "utf8")
        .trim()
        .split("\r\n"),
    ).toHaveLength(agreement.pairs.length + 1);
    const page = readFileSync(join(out, `${stem}.html`), "utf8");
    expect(page).toContain('<span class="stamp">not class-specific</span>');
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(stderr).toMatch(/attention-rollout .* not class-specific/);
    expect((await sharp(join(out, `${stem}.png`)).metadata()).width).toBeGreaterThan(1000);
  });

  test("a method that says the same of every class has no map of a difference, and says so", async () => {
    const out = temporaryFolder();
    const flags = ["-t", "0", "--contrast", "0:1", "--methods", "generic-attention,attention-rollout", "--json"];
    const { code, stdout } = await vitrail(["compare", model, picture, ...flags, "-f", "html", "-o", out]);
    expect(code).toBe(0);
    const { comparisons, agreement } = JSON.parse(stdout);
    expect(comparisons.map(({ maps }: { maps: unknown[] }) => maps.map((map) => map !== null))).toEqual([
      [true, true],
      [true, false],
    ]);
    expect(agreement.pairs[0].n).toBe(1);
    expect(readFileSync(join(out, "photo__comparison.html"), "utf8")).toContain("the same for both classes");
    const only = ["compare", model, picture, "--contrast", "0:1", "--methods", "attention-rollout", "--json", "-q"];
    expect(JSON.parse((await vitrail(only)).stdout).comparisons[0].maps[0].max).toBe(0);
  });

  test("an input method's patch is the sum of its pixels", async () => {
    const json = async (...args: string[]) =>
      JSON.parse((await vitrail([...args, model, picture, "-t", "0", "--json", "-q"])).stdout);
    const whole = await json("explain", "-m", "gradient-x-input");
    const { comparisons } = await json("compare", "--methods", "gradient-x-input,attention-rollout");
    const { values } = comparisons[0].maps[0];
    const sum = [0, 1, 2].flatMap((channel) =>
      Array.from(
        { length: 64 },
        (_, i) => whole.map.values[channel * 1024 + Math.floor(i / 8) * 32 + (i % 8)] as number,
      ),
    );
    expect(values[0]).toBeCloseTo(
      sum.reduce((a, b) => a + b, 0),
      5,
    );
  });

  test("what one method or input cannot do does not stop the others", async () => {
    const args = ["compare", model, picture, "missing.png", "-t", "0", "--methods", "generic-attention,lrp", "--json"];
    const { code, stdout, stderr } = await vitrail(args);
    expect(code).toBe(1);
    const { comparisons, failures } = JSON.parse(stdout);
    expect(comparisons).toHaveLength(1);
    expect(failures).toMatchObject([{ method: null, input: "missing.png", diagnostics: [{ code: "E081" }] }]);
    expect(stderr).toMatch(/not compared missing\.png\nE081/);
    const blind = await vitrail(["compare", attentionless(), "--tensors", tensors(), "--json", "-q"]);
    expect(blind.code).toBe(1);
    const document = JSON.parse(blind.stdout);
    expect(document.methods.map(({ id }: { id: string }) => id)).toEqual(["lrp", "gradient-x-input"]);
    const refused = document.failures.map(({ method, diagnostics: [first] }: Failed) => [method, first.code]);
    expect(refused).toContainEqual(["transformer-attribution", "E030"]);
  });

  test("classes are held against each other; wrong use is named", async () => {
    const some = ["compare", model, picture, "--methods", "generic-attention,gradient-x-input"];
    const { code, stdout } = await vitrail([...some, "--contrast", "platelet:red cell", "--json", "-q"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).comparisons[0].target.label).toBe("platelet rather than red cell");
    const wrong = await vitrailHere(["compare", model, picture, "--methods", "magic"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/--method magic/)]);
  });

  interface Failed {
    method: string;
    diagnostics: [{ code: string }];
  }
  /** A model that no softmax weighs: [batch, 4] to three classes. */
  function attentionless(): string {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("x", "float32", ["batch", 4]);
    const weights = m.weights(
      Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      [4, 3],
    );
    m.output(m.op("MatMul", [m.op("Tanh", [x]), weights]), "float32", ["batch", 3], "logits");
    const file = join(temporaryFolder(), "plain.onnx");
    writeFileSync(file, m.bytes());
    return file;
  }
  function tensors(): string {
    const file = join(temporaryFolder(), "x.safetensors");
    writeFileSync(file, safetensors({ x: [1, 4] }));
    return file;
  }
});

describe("bench", () => {
  test("measures every provider, methods of many runs too", async () => {
    const some = ["--methods", "generic-attention,occlusion", "--rounds", "2", "--threads", "1", "--json"];
    const { code, stdout } = await vitrail(["bench", model, ...some]);
    expect(code).toBe(0);
    const { providers, inputs, failures } = JSON.parse(stdout);
    expect(inputs).toEqual([{ name: "pixel_values", type: "float32", dims: [1, 3, 32, 32] }]);
    expect(providers.map(({ device }: { device: string }) => device)).toEqual(["cpu", "wasm"]);
    for (const { forward, methods } of providers) {
      expect(forward.ms.median).toBeGreaterThan(0);
      expect(forward.peakMemoryBytes).toBeGreaterThan(1e7);
      const [built, driven] = methods;
      expect(built).toMatchObject({ method: "generic-attention", patchBytes: expect.any(Number), rounds: 2 });
      for (const spread of [built.forwards, built.extraTarget, built.predictionAfterExplanation, built.explainMs])
        expect(spread.quartiles[0]).toBeLessThanOrEqual(spread.median);
      expect([built.forwards.median > 0, built.compileMs > 0, built.nodes.added > 0]).toEqual([true, true, true]);
      const nothing = { extraTarget: null, compileMs: null, patchBytes: null, nodes: null };
      expect(driven).toMatchObject({ method: "occlusion", rounds: 2, ...nothing });
      expect([driven.forwards.median > 1, driven.peakMemoryBytes > 1e7]).toEqual([true, true]);
    }
    expect(failures).toEqual([]);
  });

  test("names what it cannot measure", async () => {
    const m = new ModelWriter({ opset: 17 });
    m.output(m.op("Relu", [m.input("x", "float32", [1, 4])]), "float32", [1, 4], "logits");
    const file = join(temporaryFolder(), "relu.onnx");
    writeFileSync(file, m.bytes());
    const some = ["--methods", "gradient-x-input,attention-rollout", "--rounds", "1", "--device", "cpu", "--json"];
    const { code, stdout } = await vitrail(["bench", file, ...some]);
    expect(code).toBe(1);
    const { providers, failures } = JSON.parse(stdout);
    expect(providers[0].methods.map(({ method }: { method: string }) => method)).toEqual(["gradient-x-input"]);
    expect(failures).toMatchObject([{ method: "attention-rollout", device: "cpu", diagnostics: [{ code: "E030" }] }]);
  });

  test("takes a picture, and refuses what is no device", async () => {
    const { code, stdout } = await vitrail(["bench", model, picture, "--rounds", "1", "--device", "cpu"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /transformer-attribution[\s\S]*explanation +\S+ forwards[\s\S]*each more target[\s\S]*patch/,
    );
    const wrong = await vitrailHere(["bench", model, "--device", "abacus"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/there is no abacus/)]);
  });
});

describe("explain a text", () => {
  const folder = join(place, "words");
  beforeAll(() => {
    mkdirSync(folder);
    copyFileSync(golden("bert_a/models/hf_eager_torchscript_op17.onnx"), join(folder, "model.onnx"));
    writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(wordPiece(WORDS)));
    const id2label = { 0: "fine", 1: "toxic" };
    writeFileSync(join(folder, "config.json"), JSON.stringify({ id2label, max_position_embeddings: 32 }));
  });

  test("names the words and where they stand", async () => {
    const out = temporaryFolder();
    const text = "What a Stupid thing, to say!";
    const { code, stdout } = await vitrail(["explain", folder, "--text", text, "-t", "toxic", "-o", out, "--json"]);
    expect(code).toBe(0);
    const { tokens, map, input } = JSON.parse(stdout);
    expect(input).toMatchObject({ kind: "text", size: [text.length] });
    expect(tokens.map((token: { text: string }) => token.text)).toEqual([
      "[CLS]",
      "What",
      "a",
      "Stupid",
      "thing",
      ",",
      "to",
      "say",
      "!",
      "[SEP]",
    ]);
    for (const { text: word, start, end, special } of tokens) if (!special) expect(text.slice(start, end)).toBe(word);
    expect(map.values).toEqual(tokens.map((token: { value: number }) => token.value));
    expect(readdirSync(out)).toEqual([
      "text__transformer-attribution__1-toxic.html",
      "text__transformer-attribution__1-toxic.json",
    ]);
  });

  test("of any length, on one scale for all classes", async () => {
    const out = temporaryFolder();
    const text = "what a stupid thing to say , i love this film very much . ".repeat(5);
    const args = ["explain", folder, "--text", text, "-t", "toxic", "-t", "fine", "-o", out, "-f", "html,svg,csv,npy"];
    const { code, stdout } = await vitrail(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/72 tokens in \d overlapping windows of at most 32/);
    expect(stdout.match(/of the positive relevance for (toxic|fine) lies in/g)).toHaveLength(2);
    expect(readdirSync(out)).toHaveLength(9);
  });

  test("from a file, one on each line", async () => {
    const file = join(temporaryFolder(), "lines.txt");
    writeFileSync(file, "i love it\n\nwhat a stupid thing\n");
    const { code, stdout } = await vitrail(["explain", folder, "--text-file", file, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).explanations).toMatchObject([
      { input: { name: "i love it" } },
      { input: { name: "what a stupid thing" } },
    ]);
  });
});

describe("compile", () => {
  test("appends a patch, and the patch alone", async () => {
    const [out, patch] = [join(place, "explained.onnx"), join(place, "explained.patch")];
    const { code, stdout } = await vitrail(["compile", model, "-o", out, "--patch", patch, "-m", "generic-attention"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/method +generic-attention/);
    const [original, compiled, appended] = [spelling, out, patch].map((path) => readFileSync(path));
    expect(Buffer.concat([original!, appended!]).equals(compiled!)).toBe(true);
    expect(readMetadata(compiled!)).toMatchObject({
      method: "generic-attention",
      target: { name: "target", mode: "index" },
    });
    const again = await vitrail(["explain", out, picture, "--json"]);
    expect(JSON.parse(again.stdout).method.id).toBe("transformer-attribution");
  });

  test("reaches what the library can do: several targets, the stability reading, the authors' sums over a batch", async () => {
    const out = join(place, "steady.onnx");
    const flags = ["--several-targets", "--stability", "--option", "compat=reference"];
    const { code, stdout } = await vitrail(["compile", model, "-o", out, ...flags]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/several in one run[\s\S]*output "stability"/);
    expect(readMetadata(readFileSync(out))).toMatchObject({
      target: { several: true },
      stability: { name: "stability" },
      options: { compat: "reference" },
    });
    const refused = await vitrail(["compile", model, "-o", out, "-m", "raw-attention", "--stability"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/E016.*stability/)]);
    const unknown = await vitrail(["compile", model, "-o", out, "--option", "compat=yours"]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/none of none, reference/)]);
  });

  test("never overwrites the model", async () => {
    const { code, stderr } = await vitrail(["compile", spelling, "-o", spelling]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/it is the model itself/)]);
  });
});

describe("methods of many runs", () => {
  test("explain a picture like any other, batch by batch and for a contrast", async () => {
    const out = temporaryFolder();
    const run = ["explain", model, picture, other, "-m", "occlusion", "--batch-size", "2", "-o", out];
    const { code, stdout } = await vitrail(run);
    expect(code).toBe(0);
    expect(stdout).toMatch(/of 16 patches/);
    expect(readdirSync(out).filter((name) => name.endsWith(".json"))).toHaveLength(2);
    const contrast = await vitrail(["explain", model, picture, "-m", "occlusion", "--contrast", "0:1", "--json"]);
    expect(JSON.parse(contrast.stdout).map).toMatchObject({ grid: [4, 4], kind: "tokens" });
  });

  test("say how far a map is from what it promises, and warn where that is far", async () => {
    const explain = async (...options: string[]) => {
      const run = ["explain", model, picture, "-m", "integrated-gradients", "-t", "1", "--json", ...options];
      return JSON.parse((await vitrail(run)).stdout);
    };
    const { completeness, map } = await explain();
    expect(completeness.sum).toBeCloseTo(map.sum, 2);
    const coarse = await explain("--option", "steps=1", "--option", "rule=right");
    expect(coarse.completeness.error).toBeGreaterThan(completeness.error);
    expect(coarse.warnings.join()).toMatch(/misses the sum/);
  });

  test("cannot be written into a file; a model of theirs can be inspected", async () => {
    const out = join(place, "never.onnx");
    const compiled = await vitrail(["compile", model, "-m", "rise", "-o", out]);
    expect([compiled.code, compiled.stderr]).toEqual([2, expect.stringMatching(/E017[\s\S]*many times/)]);
    expect(existsSync(out)).toBe(false);
    expect((await vitrail(["inspect", model, "-m", "rise"])).stdout).toMatch(/can be explained[\s\S]*4 × 4 patches/);
  });
});

describe("inspect, methods, doctor", () => {
  test("tell what was found", async () => {
    const text = await vitrail(["inspect", model]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/can be explained[\s\S]*pixel_values[\s\S]*1 special \+ 4 × 4 patches/);
    const json = JSON.parse((await vitrail(["inspect", model, "--json"])).stdout);
    expect(json).toMatchObject({
      labels,
      diagnostics: [],
      opset: 17,
      metadata: { tokens: { prefix: 1, grid: [4, 4] } },
    });
    expect(json.sites).toHaveLength(4);
    const states = json.evidence.map(({ finding, state }: Record<string, string>) => `${finding} ${state}`);
    expect(states).toEqual([
      "output found",
      "input found",
      "attention found",
      "tokens found",
      "read-out found",
      "labels found",
      "pixels found",
    ]);
    expect(text.stdout).toMatch(/read-out +token 0\n +found, .* to correct it: --readout index:K/);
    const ir = await vitrail(["inspect", model, "--ir"]);
    expect(ir.stdout).toMatch(/Softmax/);
  });

  test("list the registry", async () => {
    const json = JSON.parse((await vitrail(["methods", "--json"])).stdout);
    expect(json.find(({ id }: { id: string }) => id === "transformer-attribution")).toMatchObject({ default: true });
    expect((await vitrail(["methods", "attention-rollout"])).stdout).toMatch(/not class-specific[\s\S]*one run/);
    expect((await vitrail(["methods", "occlusion"])).stdout).toMatch(/many runs[\s\S]*maskToken/);
  });

  test("check the machine and a model on it", async () => {
    const { code, stdout } = await vitrail(["doctor", model]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/✓ onnxruntime-node[\s\S]*can be explained[\s\S]*✓ explain/);
  });
});

describe("what goes wrong", () => {
  const cut = join(place, "cut.onnx");
  const bad = join(place, "bad.jpg.txt");
  const plain = join(place, "plain.onnx");
  beforeAll(() => {
    writeFileSync(join(place, "empty.onnx"), "");
    writeFileSync(join(place, "text.onnx"), "this is no model");
    writeFileSync(join(place, "model.ort"), "\0\0\0\0ORTM0000000000");
    writeFileSync(cut, readFileSync(spelling).subarray(0, 200_000));
    writeFileSync(bad, "this is no picture");
    writeFileSync(join(place, "file"), "");
    writeFileSync(plain, convolution());
    mkdirSync(join(place, "nothing"), { recursive: true });
  });

  test.each([
    ["an empty file", ["explain", "empty.onnx", "photo.png"], 4, /E001[\s\S]*empty/],
    ["another file", ["explain", "text.onnx", "photo.png"], 4, /E001/],
    ["half a model", ["explain", "cut.onnx", "photo.png"], 4, /E001[\s\S]*truncated/],
    ["the .ort format", ["explain", "model.ort", "photo.png"], 4, /E001[\s\S]*\.ort/],
    ["no such model", ["explain", "nowhere.onnx", "photo.png"], 4, /nowhere\.onnx/],
    ["a folder without a model", ["explain", "nothing", "photo.png"], 4, /no \.onnx file/],
    ["a model without attention", ["explain", "plain.onnx", "photo.png"], 3, /E03/],
    ["the same, inspected", ["inspect", "plain.onnx"], 3, /E03/],
    ["no such picture", ["explain", "cells", "nowhere.png"], 4, /E081[\s\S]*nowhere\.png/],
    ["no picture", ["explain", "cells", "bad.jpg.txt"], 4, /E082[\s\S]*bad\.jpg\.txt/],
    ["a class out of range", ["explain", "cells", "photo.png", "-t", "10"], 2, /10 classes, 0 to 9/],
    ["an unknown class", ["explain", "cells", "photo.png", "-t", "platelt"], 2, /did you mean "platelet"/],
    ["an unknown method", ["explain", "cells", "photo.png", "-m", "rollout"], 2, /attention-rollout/],
    ["an unknown option", ["explain", "cells", "photo.png", "--option", "depth=3"], 2, /its options are: startLayer/],
    ["a wrong option", ["explain", "cells", "photo.png", "--start-layer", "x"], 2, /startLayer=x/],
    ["a folder that is a file", ["explain", "cells", "photo.png", "-o", "file"], 4, /E085/],
    ["a place that cannot be written", ["compile", "cells", "-o", "file/x.onnx"], 4, /E085/],
    ["no input", ["explain", "cells"], 2, /nothing to explain/],
    ["text for a picture model", ["explain", "cells", "--text", "hello"], 2, /not token ids/],
    ["no verb", ["expalin", "cells"], 2, /Did you mean explain/],
    ["no model", ["explain"], 2, /missing required argument/],
    ["an unknown flag", ["explain", "cells", "photo.png", "--formt", "png"], 2, /Did you mean --format/],
  ])("%s", async (_, args, code, message) => {
    const files = new Set([
      "empty.onnx",
      "text.onnx",
      "cut.onnx",
      "model.ort",
      "plain.onnx",
      "photo.png",
      "bad.jpg.txt",
    ]);
    const inside = args.map((arg) =>
      files.has(arg) || /^(cells|nothing|file(\/.*)?)$/.test(arg) ? join(place, arg) : arg,
    );
    if (args[0] === "explain" && !args.includes("-o")) inside.push("-o", join(place, "out"));
    const ran = await vitrailHere(inside);
    expect(ran.code).toBe(code);
    expect(ran.stdout + ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/\n\s+at .*\.js:\d+/);
  });

  test("a picture of the wrong size for the settings", async () => {
    const folder = join(temporaryFolder(), "odd");
    mkdirSync(folder);
    copyFileSync(spelling, join(folder, "model.onnx"));
    writeFileSync(join(folder, "preprocessor_config.json"), JSON.stringify({ size: { height: 48, width: 48 } }));
    const { code, stderr } = await vitrail(["explain", folder, picture]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/48[\s\S]*32/);
  });

  test("one bad input does not stop the others", async () => {
    const { code, stdout, stderr } = await vitrail(["explain", model, bad, picture, "--json"]);
    expect(code).toBe(1);
    const document = JSON.parse(stdout);
    expect(document.explanations).toHaveLength(1);
    expect(document.failures).toMatchObject([{ input: bad, diagnostics: [{ code: "E082" }] }]);
    expect(stderr).toMatch(/1 of 2 inputs failed/);
  });

  test("errors are JSON too", async () => {
    const { code, stdout } = await vitrail(["explain", cut, picture, "--json"]);
    expect([code, JSON.parse(stdout).error.diagnostics[0].code]).toEqual([4, "E001"]);
  });
});

function safetensors(shapes: Record<string, number[]>): Uint8Array {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((a, b) => a * b);
    return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  const values = Float32Array.from({ length: end / 4 }, (_, i) => Math.sin(i));
  bytes.set(new Uint8Array(values.buffer), 8 + header.length);
  return bytes;
}

/** A model of one Conv and a mean, written by hand: [N,3,8,8] -> [N,2]. */
function convolution(): Uint8Array {
  const text = (value: string) => [...new TextEncoder().encode(value)];
  const field = (number: number, bytes: readonly number[]): number[] => [
    (number << 3) | 2,
    ...varint(bytes.length),
    ...bytes,
  ];
  const whole = (number: number, value: number): number[] => [number << 3, ...varint(value)];
  const shape = (dims: readonly number[]) =>
    field(
      2,
      dims.flatMap((dim) => field(1, whole(1, dim))),
    );
  const value = (name: string, dims: readonly number[]) => [
    ...field(1, text(name)),
    ...field(2, field(1, [...whole(1, 1), ...shape(dims)])),
  ];
  const node = (op: string, inputs: readonly string[], output: string) =>
    field(1, [...inputs.flatMap((name) => field(1, text(name))), ...field(2, text(output)), ...field(4, text(op))]);
  const weight = field(5, [
    ...[2, 3, 1, 1].flatMap((dim) => whole(1, dim)),
    ...whole(2, 1),
    ...field(8, text("w")),
    ...field(9, [...new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)]),
  ]);
  const graph = [
    ...node("Conv", ["x", "w"], "y"),
    ...node("GlobalAveragePool", ["y"], "z"),
    ...node("Flatten", ["z"], "logits"),
    ...field(2, text("g")),
    ...weight,
    ...field(11, value("x", [1, 3, 8, 8])),
    ...field(12, value("logits", [1, 2])),
  ];
  return Uint8Array.from([...whole(1, 8), ...field(7, graph), ...field(8, whole(2, 17))]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
