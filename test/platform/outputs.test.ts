/** What an output says, through the command line: final activations, single scores, dense heads, classes by name in the library. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { createExplainer, type ExplanationDocument, tensor } from "vitrail/node";
import { type Ending, withEnding } from "../support/ending.js";
import { vit } from "../support/vit.js";
import { temporaryFolder, vitrailHere } from "./command-line.js";

const place = temporaryFolder();
const picture = join(place, "photo.png");
const shapes = fileURLToPath(new URL("../../models/planted-shapes", import.meta.url));

function folder(name: string, model: Uint8Array, config: object): string {
  const path = join(place, name);
  mkdirSync(join(path, "onnx"), { recursive: true });
  writeFileSync(join(path, "onnx", "model.onnx"), model);
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  return path;
}

beforeAll(async () => {
  const data = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 7919) % 256);
  await sharp(data, { raw: { width: 32, height: 32, channels: 3 } })
    .png()
    .toFile(picture);
});

async function explained(model: string, ...args: string[]): Promise<ExplanationDocument> {
  const { code, stdout, stderr } = await vitrailHere(["explain", model, picture, "--json", "-q", ...args]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe("a shipped model with a final activation", () => {
  const own = readFileSync(join(shapes, "onnx", "model.onnx"));
  const config = JSON.parse(readFileSync(join(shapes, "config.json"), "utf8"));
  const settings = readFileSync(join(shapes, "preprocessor_config.json"));
  const endings: Record<string, Ending> = {
    Sigmoid: (m, x) => m.op("Sigmoid", [x]),
    Softmax: (m, x) => m.op("Softmax", [x], { axis: -1 }),
    "x 3 and Softmax": (m, x) => m.op("Softmax", [m.op("Mul", [x, m.scalar(3)])], { axis: -1 }),
  };
  const ended = (name: string) => {
    const path = folder(name.replaceAll(" ", "-"), withEnding(own, endings[name]!), config);
    writeFileSync(join(path, "preprocessor_config.json"), settings);
    return path;
  };
  const cosine = (a: readonly number[], b: readonly number[]) => {
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };

  test.each(Object.keys(endings))("%s: the map of the scores, the share of the file", async (name) => {
    const args = ["-t", "red triangle", "-m", "generic-attention"];
    const [model, scores] = [ended(name), await explained(shapes, ...args)];
    const { target, map } = await explained(model, ...args);
    expect(target.from).toBe("logit");
    expect(cosine(map.values, scores.map.values)).toBeGreaterThan(0.999);
  });

  test("decides as the model without it, in diff", async () => {
    const out = temporaryFolder();
    const args = ["--data", "planted-shapes", "--limit", "2", "-o", out, "--json", "-q", "--workers", "1"];
    const methods = ["--methods", "generic-attention", "--metrics", "same-decision", "map-agreement"];
    const { code, stdout, stderr } = await vitrailHere(["diff", shapes, ended("Sigmoid"), ...args, ...methods]);
    expect(code, stderr).toBe(0);
    const { cells } = JSON.parse(stdout) as { cells: { method: string; metric: string; value: number }[] };
    const of = (metric: string) => cells.find((c) => c.method === "generic-attention" && c.metric === metric)!.value;
    expect(of("same-decision")).toBe(1);
    expect(of("map-agreement")).toBeGreaterThan(0.99);
  });
});

test("the share is the file's own output, not a share of it", async () => {
  const file = withEnding(vit({ size: 32, patch: 8 }), (m, x) => m.op("Softmax", [x], { axis: -1 }));
  const model = folder("softmax", file, {});
  const explainer = await createExplainer(join(model, "onnx", "model.onnx"));
  const document = await explained(model, "-t", "2");
  const { stdout } = await vitrailHere(["inspect", model, "--json"]);
  expect(JSON.parse(stdout).metadata).toMatchObject({ from: "logit", activation: { function: "softmax" } });
  const pixels = await sharp(picture).raw().toBuffer();
  const chw = Float32Array.from({ length: pixels.length }, (_, i) => {
    const [c, p] = [Math.floor(i / 1024), i % 1024];
    return (pixels[p * 3 + c]! / 255 - 0.5) / 0.5;
  });
  const { ended } = await explainer.predict({ pixel_values: tensor(chw, [1, 3, 32, 32]) });
  expect(document.target.probability).toBeCloseTo((ended!.data as Float32Array)[2]!, 6);
  await explainer.close();
});

test("the library takes classes by name: of the config beside the file, or of a list", async () => {
  const labels = { 0: "RBC", 1: "WBC", 2: "platelet", 3: "d", 4: "e" };
  const model = join(folder("named", vit({ size: 32, patch: 8 }), { id2label: labels }), "onnx", "model.onnx");
  const feeds = { pixel_values: tensor(new Float32Array(3 * 1024).fill(0.3), [1, 3, 32, 32]) };
  const own = await createExplainer(model, { method: "generic-attention" });
  expect((await own.explain(feeds, { target: "WBC" })).targets).toEqual([[1]]);
  await expect(own.explain(feeds, { target: "WBD" })).rejects.toThrow(/did you mean "WBC"/);
  await own.close();
  const listed = await createExplainer(readFileSync(model), {
    labels: ["v", "w", "x", "y", "z"],
    method: "generic-attention",
  });
  expect((await listed.explain(feeds, { target: ["z"] })).targets).toEqual([[4]]);
  await listed.close();
});

test("a single score between two labels is the second one's", async () => {
  const one = folder("one", vit({ size: 32, patch: 8, classes: 1 }), { id2label: { 0: "benign", 1: "malignant" } });
  const { target } = await explained(one);
  expect(target).toMatchObject({ index: 0, label: "malignant" });
  expect(target.probability).toBeCloseTo(1 / (1 + Math.exp(-target.logit!)), 6);
});

test("labels of another length are said in explain and inspect, and refused where they were named", async () => {
  const model = folder("heads", vit({ size: 32, patch: 8, classes: 5 }), {
    id2label: { 0: "cat", 1: "dog", 2: "cow" },
  });
  const { target, warnings } = await explained(model);
  expect(target.label).toBeNull();
  expect(warnings).toContainEqual(expect.stringContaining("3 labels, and the explained output has 5 classes"));
  const { stdout } = await vitrailHere(["inspect", model, "--no-color"]);
  expect(stdout).toMatch(/labels +none\n.*3 labels, and the explained output has 5 classes/);
  const list = join(place, "list.txt");
  writeFileSync(list, "a\nb\n");
  const { code, stderr } = await vitrailHere(["explain", model, picture, "--labels", list]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("E044")]);
});

test("a dense head: class, row and column; a pixel is its cell", async () => {
  const file = readFileSync(new URL("../collection/dense_vit/ts-op17-plain.onnx", import.meta.url));
  const model = folder("dense", file, { id2label: { 0: "sky", 1: "road", 2: "tree" } });
  const method = ["-m", "generic-attention"];
  const named = await explained(model, "-t", "road@5,3", ...method);
  expect(named.target).toMatchObject({ index: [1, 5, 3], label: "road", at: { row: 5, column: 3 } });
  const all = await Promise.all(["sky", "road", "tree"].map((l) => explained(model, "-t", `${l}@5,3`, ...method)));
  const sum = all.reduce((total, { target }) => total + target.probability!, 0);
  expect(sum).toBeCloseTo(1, 6);
  const pixel = await explained(model, "-t", "road", "--at", "7,11", ...method);
  expect(pixel.target).toEqual(named.target);
  expect(pixel.map).toEqual(named.map);
  const { stdout } = await vitrailHere([
    "explain",
    model,
    picture,
    "-t",
    "road@5,3",
    ...method,
    "-o",
    temporaryFolder(),
  ]);
  expect(stdout).toContain("road at row 5, column 3");
});
