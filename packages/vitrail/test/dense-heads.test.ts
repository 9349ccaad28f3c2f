/** Heads that give a map: a depth without an axis of channels, masks of queries. Every token method follows the tokens through them. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { array } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { type DepthStyle, depthHead, factorOf, maskHead, PIXELS, QUERIES } from "./support/dense-heads.js";
import { methods } from "./support/methods.js";
import { distance, explained } from "./support/program.js";

const PICTURE = 3 * PIXELS * PIXELS;
const feeds = { pixel_values: array("float32", random(9).normals(2 * PICTURE), [2, 3, PIXELS, PIXELS]) };
const at = (...places: number[][]) => ({
  target: array("int64", places.flat(), [places.length, places[0]!.length]),
});
const tokenMethods = methods.filter(({ kind }) => kind === "tokens").map(({ id }) => id);
const every = ["transformer-attribution", "generic-attention", "gradient-x-input", "lrp"];

describe("a depth [batch, rows, columns] is the map [batch, 1, rows, columns]", () => {
  const styles: Record<string, DepthStyle> = {
    "resized by a factor": {},
    "without a class token": { token: false },
    "resized to the picture's size": { like: true },
    "resized last, corners aligned": { like: true, coordinates: "align_corners", last: "resize" },
  };
  test.each(Object.entries(styles))("%s", async (_, style) => {
    for (const method of every) {
      const found = await explained(depthHead(style), { method }, { ...feeds, ...at([1, 2], [3, 0]) });
      const channel = depthHead({ ...style, channel: true });
      const expected = await explained(channel, { method }, { ...feeds, ...at([0, 1, 2], [0, 3, 0]) });
      for (const i of [0, 1]) expect(distance(found[i]!, expected[i]!), method).toBeLessThan(1e-6);
      expect(Math.max(...expected.flat().map(Math.abs)), method).toBeGreaterThan(0);
    }
  });

  test("every method runs", async () => {
    for (const { id: method } of methods) {
      const [row] = await explained(depthHead(), { method }, { ...feeds, ...at([1, 2], [3, 0]) });
      expect(row!.every(Number.isFinite), method).toBe(true);
    }
  });
});

describe("masks [batch, queries, rows, columns]", () => {
  test.each(tokenMethods)("a product by Einsum is the one by MatMul: %s", async (method) => {
    const target = at([1, 4, 2], [3, 0, 5]);
    const found = await explained(maskHead("einsum"), { method }, { ...feeds, ...target });
    const expected = await explained(maskHead("matmul"), { method }, { ...feeds, ...target });
    for (const i of [0, 1]) expect(distance(found[i]!, expected[i]!)).toBeLessThan(1e-4);
  });

  test("what a query and a cell attended to share equally", async () => {
    const options = { method: "attention-rollout", normalizeRows: false };
    const [query, row, column] = [QUERIES - 1, 1, 2];
    const run = async (model: Uint8Array, place: number[]) => {
      const [map] = await explained(model, options, { ...feeds, ...at(place, place) });
      return map!;
    };
    const found = await run(maskHead("einsum over tokens"), [query, row, column]);
    const cell = await run(factorOf("cells"), [3 * row + column, 0]);
    const asked = await run(factorOf("queries"), [query, 0]);
    expect(distance(cell, asked)).toBeGreaterThan(0.1);
    expect(
      distance(
        found,
        cell.map((v, i) => (v + asked[i]!) / 2),
      ),
    ).toBeLessThan(1e-5);
    const { readout } = compile(maskHead("einsum over tokens"), options).report.metadata!;
    expect(readout).toContain("2 factors share equally");
  });

  test("raw attention is the last block's, read by what the pooling head weighs", async () => {
    const place = at([2, 0], [0, 1]);
    const model = factorOf("queries");
    const [found] = await explained(model, { method: "raw-attention" }, { ...feeds, ...place });
    const options = { method: "attention-rollout", normalizeRows: false, startLayer: 1 };
    const [expected] = await explained(model, options, { ...feeds, ...place });
    expect(distance(found!, expected!)).toBeLessThan(1e-6);
    for (const method of ["attention-grad-cam", "partial-lrp"]) {
      const rows = await explained(model, { method }, { ...feeds, ...place });
      expect(Math.max(...rows.flat().map(Math.abs)), method).toBeGreaterThan(0);
    }
  });

  test("a sample's map does not depend on its batch", async () => {
    const target = [1, 4, 2];
    const alone = {
      pixel_values: array("float32", feeds.pixel_values.values.slice(0, PICTURE), [1, 3, PIXELS, PIXELS]),
    };
    const model = maskHead("einsum");
    const [expected] = await explained(model, {}, { ...alone, ...at(target) });
    const [found] = await explained(model, {}, { ...feeds, ...at(target, [0, 0, 0]) });
    expect(distance(found!, expected!)).toBeLessThan(1e-3);
  });
});
