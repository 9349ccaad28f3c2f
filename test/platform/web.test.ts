import { type Browser, chromium as driver, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createExplainer, tensor } from "vitrail/node";
import { chromium, serve } from "./browser.js";
import { golden } from "./command-line.js";

/** `vitrail/web` as it was built, in a real browser, against what the native runtime gives. */
const model = golden("vit_a/models/timm_torchscript_op17.onnx");
const values = Float32Array.from({ length: 3072 }, (_, i) => Math.sin(i * 0.7));

interface Found {
  logits: number[];
  relevance: number[];
  targets: number[][];
  isolated: boolean;
}

describe.skipIf(chromium === undefined)("in Chromium", () => {
  let browser: Browser;
  let native: Pick<Found, "logits" | "relevance">;

  beforeAll(async () => {
    const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
    browser = await driver.launch({ executablePath: chromium!, headless: true, args });
    const explainer = await createExplainer(model, {
      method: "generic-attention",
    });
    const explanation = await explainer.explain({ pixel_values: tensor(values, [1, 3, 32, 32]) }, { target: 3 });
    native = {
      logits: [...(explanation.logits.data as Float32Array)],
      relevance: [...explanation.toTokens()],
    };
    await explainer.close();
  });
  afterAll(() => browser?.close());

  async function run(options: object, isolated = false): Promise<Found> {
    const server = await serve(isolated, { "/model.onnx": model });
    const page = await browser.newPage();
    try {
      await page.goto(server.address);
      return await inPage(page, `${server.address}model.onnx`, options);
    } finally {
      await page.close();
      server.close();
    }
  }

  const inPage = (page: Page, address: string, options: object): Promise<Found> =>
    page.evaluate(
      async ({ address, options, pixels }) => {
        const { createExplainer, tensor } = (globalThis as unknown as { vitrail: typeof import("vitrail/web") })
          .vitrail;
        const explainer = await createExplainer(address, { method: "generic-attention", ...options });
        const feeds = { pixel_values: tensor(Float32Array.from(pixels), [1, 3, 32, 32]) };
        const [explanation, { targets }] = await Promise.all([
          explainer.explain(feeds, { target: 3 }),
          explainer.explain(feeds),
        ]);
        await explainer.close();
        return {
          logits: [...(explanation.logits.data as Float32Array)],
          relevance: [...explanation.toTokens()],
          targets: targets as number[][],
          isolated: globalThis.crossOriginIsolated,
        };
      },
      { address, options, pixels: [...values] },
    );

  const cosine = (a: readonly number[], b: readonly number[]): number => {
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const top = (map: readonly number[]): number => map.indexOf(Math.max(...map));

  test.each([
    ["WebAssembly on one thread", { device: "wasm", threads: 1 }, false],
    ["WebAssembly on two threads", { device: "wasm", threads: 2 }, true],
    ["WebGPU", { device: "webgpu" }, false],
  ])("%s agrees with the native runtime", async (_, options, isolated) => {
    const found = await run(options, isolated);
    expect(found.isolated).toBe(isolated);
    expect(cosine(found.logits, native.logits)).toBeGreaterThan(0.99999);
    expect(cosine(found.relevance, native.relevance)).toBeGreaterThan(0.999);
    expect(top(found.relevance.slice(1))).toBe(top(native.relevance.slice(1)));
    expect(found.targets).toEqual([[top(native.logits)]]);
  });

  test.each([
    ["occlusion", {}],
    ["integrated-gradients", { steps: 6 }],
    ["vit-recipro-cam", {}],
  ])("%s, a method of many runs or many copies, agrees with the native runtime", async (method, options) => {
    const explainer = await createExplainer(model, { method, ...options });
    const expected = await explainer.explain({ pixel_values: tensor(values, [1, 3, 32, 32]) }, { target: 3 });
    await explainer.close();
    const found = await run({ device: "wasm", threads: 1, method, ...options });
    expect(cosine(found.relevance, [...expected.toTokens()])).toBeGreaterThan(0.999);
    expect(found.targets).toEqual([[top(native.logits)]]);
  });

  test("errors come through with their reasons", async () => {
    const server = await serve(false, { "/model.onnx": model });
    await expect(run({ method: "magic" })).rejects.toThrow(/E010/);
    const page = await browser.newPage();
    await page.goto(server.address);
    await expect(inPage(page, `${server.address}nowhere.onnx`, {})).rejects.toThrow(/E070[\s\S]*404/);
    await page.close();
    server.close();
  });
});
