import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, VitrailError } from "vitrail";
import { createExplainer, type Explainer, type Explanation, tensor } from "vitrail/node";
import { golden } from "./command-line.js";

/** `vitrail/node` as it was built: sessions in a worker thread, on the runtimes that Node has. */
const model = golden("vit_a/models/timm_torchscript_op17.onnx");
const bytes = () => new Uint8Array(readFileSync(model));
const side = 32;
const pictures = (count: number, seed = 1) =>
  tensor(
    Float32Array.from({ length: count * 3 * side * side }, (_, i) => Math.sin(i * 0.7 + Math.floor(i / 3072) + seed)),
    [count, 3, side, side],
  );
const one = { pixel_values: pictures(1) };

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const square = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(Array.from(a, (value, i) => value - b[i]!)) / square(b));
};

describe("an explainer", () => {
  let explainer: Explainer;
  beforeAll(async () => {
    explainer = await createExplainer(pathToFileURL(model));
  });
  afterAll(() => explainer.close());

  test("gives the prediction and the relevance of every token in one run", async () => {
    const explanation = await explainer.explain(one, { target: 3 });
    expect(explanation.logits.dims).toEqual([1, 10]);
    expect(explanation.relevance.dims).toEqual([1, 17]);
    expect(explanation.targets).toEqual([[3]]);
    const { rows, columns, values, special } = explanation.toGrid()!;
    expect([rows, columns, values.length, special.length]).toEqual([4, 4, 16, 1]);
    expect([...special, ...values]).toEqual([...explanation.toTokens()]);
  });

  test("explains the top class when no class is named", async () => {
    const logits = (await explainer.predict(one)).logits!.data as Float32Array;
    const top = logits.indexOf(Math.max(...logits));
    const [free, asked] = [await explainer.explain(one), await explainer.explain(one, { target: top })];
    expect(free.targets).toEqual([[top]]);
    expect(free.toTokens()).toEqual(asked.toTokens());
  });

  test("predicts exactly what it explains", async () => {
    const { logits } = await explainer.predict(one);
    expect(
      distance((await explainer.explain(one)).logits.data as Float32Array, logits!.data as Float32Array),
    ).toBeLessThan(1e-5);
  });

  test("explains a batch as its samples one by one", async () => {
    const batch = await explainer.explain({ pixel_values: pictures(3) }, { target: [1, 5, 9] });
    for (const [sample, target] of [1, 5, 9].entries()) {
      const data = pictures(3).data.slice(sample * 3072, (sample + 1) * 3072) as Float32Array;
      const alone = await explainer.explain({ pixel_values: tensor(data, [1, 3, side, side]) }, { target });
      expect(distance(batch.toTokens(sample), alone.toTokens())).toBeLessThan(2e-3);
    }
  });

  test("gives the same map with little memory", async () => {
    const frugal = await createExplainer(pathToFileURL(model), { lowMemory: true });
    const [a, b] = [await frugal.explain(one, { target: 3 }), await explainer.explain(one, { target: 3 })];
    await frugal.close();
    expect(distance(a.toTokens(), b.toTokens())).toBeLessThan(2e-3);
  });

  test("explains several targets in one run as it does one by one", async () => {
    const several = await createExplainer(pathToFileURL(model), { severalTargets: true });
    const feeds = { pixel_values: pictures(2) };
    const targets = [[1, 5], 9, [0, 1]];
    const together = await several.explainEach(feeds, targets);
    const oneByOne = await explainer.explainEach(feeds, targets);
    const alone = await several.explain(feeds, { target: 9 });
    await several.close();
    expect(together.map((each) => each.targets)).toEqual([
      [[1], [5]],
      [[9], [9]],
      [[0], [1]],
    ]);
    for (const [i, each] of together.entries())
      for (const sample of [0, 1])
        expect(distance(each.toTokens(sample), oneByOne[i]!.toTokens(sample))).toBeLessThan(2e-3);
    expect(distance(alone.toTokens(1), together[1]!.toTokens(1))).toBeLessThan(2e-3);
    expect(distance(together[0]!.toTokens(), together[2]!.toTokens())).toBeGreaterThan(2e-3);
  });

  test("says per sample how far the numbers can be trusted, where it was compiled to", async () => {
    expect((await explainer.explain(one, { target: 3 })).stability()).toBeUndefined();
    const asked = await createExplainer(model, { stability: true });
    const batch = await asked.explain({ pixel_values: pictures(2) }, { target: [1, 5] });
    expect(Object.keys(batch.outputs)).toEqual(["logits"]);
    for (const sample of [0, 1]) {
      const { weak, magnification, blocks, poor } = batch.stability(sample)!;
      expect(weak).toBeGreaterThanOrEqual(0);
      expect(weak).toBeLessThan(0.2);
      expect(magnification).toBeGreaterThan(1);
      expect(blocks).toHaveLength(4);
      for (const sum of blocks) expect(sum).toBeCloseTo(1, 2);
      expect(poor).toBe(magnification > 1e6);
    }
    expect(batch.stability(0)).not.toEqual(batch.stability(1));
    await asked.close();
  });

  test("leaves the caller's event loop free, while opening too", async () => {
    const feeds = { pixel_values: pictures(256) };
    let longest = 0;
    let last = performance.now();
    const started = last;
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const other = await createExplainer(model);
    await other.explain(feeds, { target: 0 });
    clearInterval(timer);
    expect(performance.now() - started).toBeGreaterThan(300);
    expect(longest).toBeLessThan(100);
    await other.close();
  });

  test("takes calls while others run", async () => {
    const targets = Array.from({ length: 8 }, (_, index) => index);
    const all = await Promise.all(targets.map((target) => explainer.explain(one, { target })));
    expect(all.map((each) => each.targets![0]![0])).toEqual(targets);
  });

  test.each([
    ["no input", {}, /E060[\s\S]*"pixel_values"/],
    ["another name", { x: one.pixel_values }, /E061[\s\S]*"x"[\s\S]*E060/],
    ["another type", { pixel_values: tensor(new Float64Array(3072), [1, 3, 32, 32]) }, /E062[\s\S]*float64/],
    ["another size", { pixel_values: tensor(new Float32Array(3 * 48 * 48), [1, 3, 48, 48]) }, /fixed to 32/],
    ["another rank", { pixel_values: tensor(new Float32Array(3072), [3, 32, 32]) }, /E063/],
    [
      "too little data",
      { pixel_values: tensor(new Float32Array(10), [1, 3, 32, 32]) },
      /holds 3072 elements, the data 10/,
    ],
  ])("refuses %s", async (_, feeds, message) => {
    await expect(explainer.explain(feeds as never)).rejects.toThrow(message);
    await expect(explainer.predict(feeds as never)).rejects.toThrow(VitrailError);
  });

  test.each([
    [10, /0 to 9/],
    [-1, /0 to 9/],
    [1.5, /0 to 9/],
    [[1, 2], /2 targets for 1 samples/],
    [Float32Array.of(1), /compiled for class indices/],
  ])("refuses the target %s", async (target, message) => {
    await expect(explainer.explain(one, { target })).rejects.toThrow(message);
  });

  test("leaves the caller's data alone", async () => {
    const feeds = { pixel_values: pictures(1) };
    await explainer.explain(feeds);
    expect(feeds.pixel_values.data.length).toBe(3072);
  });
});

describe("the target", () => {
  test("as weights: a one-hot vector is the class, and relevance depends on both classes of a contrast", async () => {
    const byIndex = await createExplainer(model, { method: "generic-attention" });
    const byWeights = await createExplainer(model, { method: "generic-attention", target: "weights" });
    const oneHot = new Float32Array(10);
    oneHot[4] = 1;
    const expected = (await byIndex.explain(one, { target: 4 })).toTokens();
    expect(distance((await byWeights.explain(one, { target: oneHot })).toTokens(), expected)).toBeLessThan(1e-5);
    expect(distance((await byWeights.explain(one, { target: 4 })).toTokens(), expected)).toBeLessThan(1e-5);
    oneHot[5] = -1;
    expect(distance((await byWeights.explain(one, { target: oneHot })).toTokens(), expected)).toBeGreaterThan(1e-2);
    await expect(byWeights.explain(one, { target: Float32Array.of(1, 2) })).rejects.toThrow(/give 10 weights/);
    await Promise.all([byIndex.close(), byWeights.close()]);
  });

  test("found by the model itself", async () => {
    const predicted = await createExplainer(model, { target: "predicted" });
    const index = await createExplainer(model);
    const explanation = await predicted.explain(one);
    expect(explanation.targets).toEqual((await index.explain(one)).targets);
    await expect(predicted.explain(one, { target: 1 })).rejects.toThrow(/takes no target/);
    await Promise.all([predicted.close(), index.close()]);
  });
});

describe("opening and closing", () => {
  test("a compiled model is used as it is", async () => {
    const { bytes: compiled } = compile(bytes(), { method: "generic-attention", target: "predicted" });
    const explainer = await createExplainer(compiled);
    expect(explainer.metadata.method).toBe("generic-attention");
    expect((await explainer.explain(one)).relevance.dims).toEqual([1, 17]);
    expect(Object.keys(await explainer.predict(one))).toEqual(["logits"]);
    await explainer.close();
  });

  test("bytes are moved only when asked", async () => {
    const [kept, moved] = [bytes(), bytes()];
    const explainers = [await createExplainer(kept), await createExplainer(moved, { transfer: true })];
    expect([kept.length > 0, moved.length]).toEqual([true, 0]);
    await Promise.all(explainers.map((explainer) => explainer.close()));
  });

  test("closing waits for what runs and refuses what comes after", async () => {
    const explainer = await createExplainer(model);
    const running = explainer.explain(one);
    await explainer.close();
    expect((await running).relevance.dims).toEqual([1, 17]);
    await expect(explainer.explain(one)).rejects.toThrow(/E068/);
    await explainer.close();
  });

  test.each([
    ["nothing", new Uint8Array(0), /E001[\s\S]*empty/],
    ["noise", new Uint8Array(64).fill(7), /E001/],
    ["half a model", readFileSync(model).subarray(0, 100_000), /E001/],
  ])("%s is no model", async (_, data, message) => {
    await expect(createExplainer(data)).rejects.toThrow(message);
  });

  test("a missing file and a missing method", async () => {
    await expect(createExplainer("nowhere.onnx")).rejects.toThrow(/nowhere\.onnx/);
    await expect(createExplainer(model, { method: "magic" })).rejects.toThrow(/E010/);
  });
});

describe("the runtimes", () => {
  test("native and WebAssembly agree", async () => {
    const run = async (device: "cpu" | "wasm"): Promise<Explanation> => {
      const explainer = await createExplainer(model, { device, threads: 1 });
      const explanation = await explainer.explain(one, { target: 2 });
      await explainer.close();
      return explanation;
    };
    const [cpu, wasm] = [await run("cpu"), await run("wasm")];
    expect(distance(wasm.logits.data as Float32Array, cpu.logits.data as Float32Array)).toBeLessThan(1e-4);
    expect(distance(wasm.toTokens(), cpu.toTokens())).toBeLessThan(2e-2);
  });
});
