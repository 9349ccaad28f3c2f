/** Data against the pictures and texts that they speak of: truth of another size, broken files, questions that stay. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandom, type PictureSample } from "@vitrail/evaluation";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createExplainer, type Explainer } from "vitrail/node";
import { checkPictures } from "../src/evaluate/check-pictures.js";
import { type DataRequest, openData } from "../src/evaluate/data.js";
import { PictureCases } from "../src/evaluate/picture-cases.js";
import { TextCases } from "../src/evaluate/text-cases.js";
import { openFolder } from "../src/model/folder.js";

const modelAt = (name: string) => fileURLToPath(new URL(`../../../models/${name}`, import.meta.url));
const request = (spec: string): DataRequest => ({ spec, seed: 0, skipBroken: true });

/** A picture, or a mask with its right lower quarter marked. */
const png = (width: number, height: number, marked = false): Promise<Buffer> => {
  const data = Buffer.alloc(width * height);
  for (let at = 0; at < data.length; at++) {
    if (marked && at % width >= width / 2 && Math.floor(at / width) >= height / 2) data[at] = 255;
  }
  return sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
};

const folder = (files: Readonly<Record<string, Uint8Array | string>>): string => {
  const root = mkdtempSync(join(tmpdir(), "vitrail-data-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
};

describe("pictures", () => {
  let explainer: Explainer;
  beforeAll(async () => {
    explainer = await createExplainer(join(modelAt("planted-shapes"), "onnx/model.onnx"), { method: "raw-attention" });
  });
  afterAll(() => explainer.close());

  test("a mask of another size lies where one of the same size lies; another shape is a broken row, as a broken file is", async () => {
    const sizes = { same: [64, 48], double: [128, 96], half: [32, 24], odd: [48, 64] } as const;
    const files: Record<string, Uint8Array | string> = {
      "images/cat/bad.png": "no picture",
      "images/cat/none.png": "",
    };
    for (const name of ["bad", "none"]) files[`masks/cat/${name}.png`] = await png(64, 48, true);
    for (const [name, [width, height]] of Object.entries(sizes)) {
      files[`images/cat/${name}.png`] = await png(64, 48);
      files[`masks/cat/${name}.png`] = await png(width, height, true);
    }
    const root = folder(files);
    const data = await openData(request(root));
    const samples = data.samples as PictureSample[];
    const { broken, scaled } = await checkPictures(samples, root);
    expect(scaled).toBe(2);
    expect(broken.map(({ file, reason }) => [file, reason.replace(/: Input.*/, "")])).toEqual([
      ["images/cat/bad.png", "it is no picture"],
      ["images/cat/none.png", "the file is empty"],
      ["images/cat/odd.png", "the picture is 64 x 48, its mask 48 x 64"],
    ]);
    const cases = new PictureCases(
      explainer.findings,
      await openFolder(modelAt("planted-shapes")),
      { grid: [12, 12] } as never,
      root,
    );
    const truthOf = async (name: string) => {
      const sample = samples.find(({ id }) => id === `cat/${name}`)!;
      return (await (await cases.read(sample)).truth(sample.regions)).mask;
    };
    const right = await truthOf("same");
    expect(right!.reduce((total, mark) => total + mark, 0) / right!.length).toBeCloseTo(0.25, 2);
    expect(await truthOf("double")).toEqual(right);
    expect(await truthOf("half")).toEqual(right);
    await expect(truthOf("odd")).rejects.toThrow("the picture is 64 x 48, what marks it is 48 x 64");
  });

  test("boxes of a picture that was resized after it was annotated are scaled", async () => {
    const root = folder({ "a.png": await png(128, 96) });
    const sample = (size: PictureSample["size"], x: number): PictureSample => ({
      id: "a",
      path: "a.png",
      labels: ["cat"],
      ...(size && { size }),
      regions: [{ label: "cat", boxes: [{ x, y: x, width: x, height: x }] }],
    });
    const cases = new PictureCases(
      explainer.findings,
      await openFolder(modelAt("planted-shapes")),
      { grid: [12, 12] } as never,
      root,
    );
    const boxesOf = async (own: PictureSample) => (await (await cases.read(own)).truth(own.regions)).boxes;
    expect(await boxesOf(sample({ width: 64, height: 48 }, 10))).toEqual(await boxesOf(sample(undefined, 20)));
  });
});

describe("texts", () => {
  test("a question stays and is no unit; its answer's tokens keep their kind when others are dropped", async () => {
    const files = await openFolder(modelAt("planted-sentences"));
    const explainer = await createExplainer(files.file, { method: "raw-attention" });
    const texts = await TextCases.open(explainer.findings, files);
    await explainer.close();
    const pair = "The lamp is superb.";
    const spans = [{ start: pair.indexOf("superb"), end: pair.indexOf("superb") + 6, inPair: true as const }];
    const asked = texts.read({ id: "q", text: "Is the lamp superb", pair, asked: true, spans });
    expect(asked.tokens.map(({ text }) => text.trim().toLowerCase())).toEqual(["the", "lamp", "is", "superb", "."]);
    expect([...asked.truth.mask!]).toEqual([0, 0, 0, 1, 0]);
    const both = texts.read({ id: "p", text: "Is the lamp superb", pair, spans });
    expect([both.tokens.length, both.truth.mask!.indexOf(1)]).toEqual([9, 7]);
    const lengthOf = ({ feeds }: { feeds: Readonly<Record<string, { data: ArrayLike<unknown> }>> }) =>
      Object.values(feeds)[0]!.data.length;
    const gone = Uint8Array.of(1, 1, 0, 0, 0);
    const { subject } = asked;
    expect(lengthOf(subject.without(gone, "mean", createRandom(0)))).toBe(lengthOf(subject.input));
    expect(lengthOf(subject.without(gone, "drop", createRandom(0)))).toBe(lengthOf(subject.input) - 2);
  });
});
