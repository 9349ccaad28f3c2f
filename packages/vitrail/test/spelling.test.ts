/** One set of weights gives one map, however the file spells it. */
import { expect, test } from "vitest";
import { type VitStyle, vit } from "../../../test/support/vit.js";
import { methods } from "../src/methods/registry.js";
import { readModel, writeModel } from "../src/onnx/model.js";
import { distance, explained, feedsOf, targets } from "./support/program.js";

const style: VitStyle = { depth: 2, gain: 1, seed: 3 };
const feeds = { ...feedsOf(style, 2), ...targets(1, 4) };
const spellings: readonly VitStyle[] = [
  { norm: "decomposed", opset: 11 },
  { norm: "decomposed", opset: 13 },
  { norm: "decomposed", opset: 18 },
  { norm: "operator", opset: 17 },
  { norm: "operator", activation: "operator", opset: 20 },
  { norm: "decomposed", activation: "operator", opset: 21 },
  { batch: 2 },
];

/** Transformer attribution divides by sums near zero: float32 decides it to about 1e-3 here. */
const noise = (method: string): number => (method === "transformer-attribution" ? 3e-3 : 1e-4);

for (const { id: method } of methods)
  test(`${method}: operators or their parts, any opset`, async () => {
    const expected = await explained(vit(style), { method }, feeds);
    for (const spelling of spellings) {
      const rows = await explained(vit({ ...style, ...spelling }), { method }, feeds);
      for (const [i, row] of rows.entries())
        expect(distance(row, expected[i]!), JSON.stringify(spelling)).toBeLessThan(noise(method));
    }
  });

test("nodes in any order", async () => {
  const model = readModel(vit(style));
  const shuffled = writeModel({ ...model, graph: { ...model.graph!, node: [...model.graph!.node].reverse() } });
  const [a, b] = [await explained(vit(style), {}, feeds), await explained(shuffled, {}, feeds)];
  expect(b.map((row, i) => distance(row, a[i]!)).every((d) => d < 1e-6)).toBe(true);
});
