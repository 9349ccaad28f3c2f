import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pictureCases, plantedPlanes, sentenceCases, toPlanes } from "@vitrail/evaluation";
import { type Browser, chromium as driver } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "vitrail";
import { createExplainer, tensor } from "vitrail/node";
import { chromium, serve } from "./browser.js";
import { golden } from "./command-line.js";
import { root } from "./packed.js";

/** One compiled model on every runtime gives the same map, in the mode recommended where maps must agree (decision 0010). */
const options = { ridge: 3e-3, stability: true };

/** Inputs as plain numbers, which cross into the page. */
interface Question {
  feeds: Record<string, { type: "float32" | "int64"; dims: number[]; values: number[] }>;
  target: number;
}
interface Subject {
  file: string;
  /** Tokens in front and behind that are no patches or words. */
  special: [front: number, behind: number];
  questions: Question[];
}

const picture = (planes: Float32Array, target: number): Question => {
  const side = Math.sqrt(planes.length / 3);
  return { feeds: { pixel_values: { type: "float32", dims: [1, 3, side, side], values: [...planes] } }, target };
};
const waves = (side: number) => Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i * 0.7 + i / 97));
const sentence = (ids: readonly number[], target: number, types = false): Question => {
  const row = (values: readonly number[]) => ({ type: "int64" as const, dims: [1, ids.length], values: [...values] });
  const ones = ids.map(() => 1);
  const feeds = {
    input_ids: row(ids),
    attention_mask: row(ones),
    ...(types && { token_type_ids: row(ids.map(() => 0)) }),
  };
  return { feeds, target };
};
const some = <T>(make: (seed: string) => T[]): T[] => ["a", "b", "c", "d"].flatMap(make).slice(0, 2);
const model = (name: string) => join(root, "models", name, "onnx/model.onnx");

async function subjects(): Promise<Record<string, Subject>> {
  const folder = join(root, "models/blood-cells/samples");
  const samples = readdirSync(folder).filter((name) => name.endsWith(".png"));
  const cells = samples.slice(0, 2).map(async (name, target) => {
    const rgb = await sharp(join(folder, name)).removeAlpha().resize(96, 96).raw().toBuffer();
    return picture(plantedPlanes(toPlanes(rgb)), target);
  });
  const planted = (cue: boolean) =>
    some((seed) => pictureCases(seed, cue ? { cue: "without-class" } : {})).map((c) =>
      picture(c.subject.input, c.target),
    );
  const patches: Subject["special"] = [1, 0];
  const words: Subject["special"] = [1, 1];
  return {
    "blood-cells": { file: model("blood-cells"), special: patches, questions: await Promise.all(cells) },
    "planted-shapes": { file: model("planted-shapes"), special: patches, questions: planted(false) },
    "planted-shortcut": { file: model("planted-shortcut"), special: patches, questions: planted(true) },
    "planted-sentences": {
      file: model("planted-sentences"),
      special: words,
      questions: some((seed) => sentenceCases(seed)).map((c) => sentence(c.subject.input, c.target)),
    },
    "toxic-sentences": {
      file: model("toxic-sentences"),
      special: words,
      questions: [
        [2, 1000, 400, 77, 3],
        [2, 901, 30, 2500, 18, 640, 3],
      ].map((ids) => sentence(ids, 1)),
    },
    "golden vit_a": {
      file: golden("vit_a/models/timm_torchscript_op17.onnx"),
      special: patches,
      questions: [picture(waves(32), 3)],
    },
    "golden vit_b": {
      file: golden("vit_b/models/timm_torchscript_op17.onnx"),
      special: patches,
      questions: [picture(waves(48), 3)],
    },
    "golden bert_a": {
      file: golden("bert_a/models/hf_sdpa_torchscript_op17.onnx"),
      special: words,
      questions: [sentence([5, 17, 80, 44, 9, 101, 3], 1, true)],
    },
  };
}

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};
const top = (map: readonly number[], [front, behind]: Subject["special"]): number => {
  const units = map.slice(front, map.length - behind);
  return units.indexOf(Math.max(...units));
};

interface Answer {
  map: number[];
  magnification: number;
}

async function natively({ file, questions }: Subject): Promise<Answer[]> {
  const explainer = await createExplainer(file, options);
  const answers: Answer[] = [];
  for (const { feeds, target } of questions) {
    const tensors = Object.entries(feeds).map(([name, { type, dims, values }]) => {
      const data = type === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
      return [name, tensor(data, dims)] as const;
    });
    const explanation = await explainer.explain(Object.fromEntries(tensors), { target });
    answers.push({ map: [...explanation.toTokens()], magnification: explanation.stability()!.magnification });
  }
  await explainer.close();
  return answers;
}

/** Which class is asked for, and the arithmetic of shapes: int64, a few elements, once per run. */
const LEFT_TO_THE_CPU: Readonly<Record<string, readonly string[]>> = {
  "blood-cells": ["Equal", "Gather", "Unsqueeze"],
};

describe.skipIf(chromium === undefined)("in Chromium", () => {
  let browser: Browser;
  let all: Record<string, Subject>;
  const native: Record<string, Answer[]> = {};

  beforeAll(async () => {
    const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
    browser = await driver.launch({ executablePath: chromium!, headless: true, args });
    all = await subjects();
    for (const [name, subject] of Object.entries(all)) native[name] = await natively(subject);
  });
  afterAll(() => browser?.close());

  test.each([
    ["WebAssembly on one thread", { device: "wasm", threads: 1 }, false],
    ["WebAssembly on two threads", { device: "wasm", threads: 2 }, true],
    ["WebGPU", { device: "webgpu" }, false],
  ])("%s agrees with the native runtime on every model", async (_, runtime, isolated) => {
    const files = Object.fromEntries(Object.entries(all).map(([name, { file }]) => [`/${encodeURI(name)}.onnx`, file]));
    const server = await serve(isolated, files);
    const page = await browser.newPage();
    await page.goto(server.address);
    for (const [name, { questions, special }] of Object.entries(all)) {
      const address = `${server.address}${encodeURI(name)}.onnx`;
      const found = await page.evaluate(ask, { address, settings: { ...options, ...runtime }, questions });
      for (const [i, { map, magnification }] of found.entries()) {
        const own = native[name]![i]!;
        expect(cosine(map, own.map), name).toBeGreaterThanOrEqual(0.999);
        expect(top(map, special), name).toBe(top(own.map, special));
        expect(magnification / own.magnification, name).toBeCloseTo(1, 1);
      }
    }
    await page.close();
    server.close();
  });

  test.each(Object.keys(LEFT_TO_THE_CPU))(
    "%s: the appended part that WebGPU leaves to the CPU is small",
    async (name) => {
      const bytes = compile(readFileSync(all[name]!.file), options).bytes;
      const server = await serve(false, { "/compiled.onnx": bytes });
      const page = await browser.newPage();
      const log: string[] = [];
      page.on("console", (message) => log.push(message.text()));
      await page.goto(server.address);
      await page.evaluate(place(`${server.address}compiled.onnx`));
      await page.close();
      server.close();
      const placed = placements(log);
      expect(placed.get("WebGpuExecutionProvider")!.filter(isAppended).length).toBeGreaterThan(200);
      const left = placed.get("CPUExecutionProvider")!.filter(isAppended);
      expect([...new Set(left.map(({ operator }) => operator))].sort()).toEqual(LEFT_TO_THE_CPU[name]);
      // The passes themselves, where the time goes, stay on the device.
      expect(left.filter(({ node }) => /^vitrail\/(gradient|relevance|stability)\//.test(node))).toEqual([]);
    },
  );
});

interface Placed {
  operator: string;
  node: string;
}
const isAppended = ({ node }: Placed): boolean => node.startsWith("vitrail/");

/** Nodes by execution provider, from the runtime's verbose log. */
function placements(log: readonly string[]): Map<string, Placed[]> {
  const placed = new Map<string, Placed[]>();
  let list: Placed[] = [];
  for (const line of log.filter((text) => text.includes("VerifyEachNodeIsAssignedToAnEp"))) {
    const provider = /placed on \[(\w+)\]/.exec(line)?.[1];
    const node = /\] {2,}([\w.]+) \((.*)\)\s*$/.exec(line);
    if (provider) {
      list = [];
      placed.set(provider, list);
    } else if (node) list.push({ operator: node[1]!, node: node[2]! });
  }
  return placed;
}

/** Runs in the page. */
async function ask({
  address,
  settings,
  questions,
}: {
  address: string;
  settings: Record<string, unknown>;
  questions: Question[];
}): Promise<Answer[]> {
  const { createExplainer, tensor } = (globalThis as unknown as { vitrail: typeof import("vitrail/web") }).vitrail;
  const explainer = await createExplainer(address, settings);
  const answers: Answer[] = [];
  for (const { feeds, target } of questions) {
    const tensors = Object.entries(feeds).map(([name, { type, dims, values }]) => {
      const data = type === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
      return [name, tensor(data, dims)] as const;
    });
    const explanation = await explainer.explain(Object.fromEntries(tensors), { target });
    answers.push({ map: [...explanation.toTokens()], magnification: explanation.stability()!.magnification });
  }
  await explainer.close();
  return answers;
}

/** Runs in the page: opens a session that says where each node is placed. As text, because the test runner rewrites `import()`. */
const place = (address: string): string => `(async () => {
  const ort = await import("onnxruntime-web/webgpu");
  ort.env.logLevel = "verbose";
  const bytes = new Uint8Array(await (await fetch(${JSON.stringify(address)})).arrayBuffer());
  const settings = { executionProviders: ["webgpu"], logSeverityLevel: 0, logVerbosityLevel: 0 };
  await (await ort.InferenceSession.create(bytes, settings)).release();
})()`;
