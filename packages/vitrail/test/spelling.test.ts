/** One set of weights gives one map, however the file spells it. */
import { expect, test } from "vitest";
import { open } from "../../../test/support/runtime.js";
import { type VitStyle, vit } from "../../../test/support/vit.js";
import { readModel, writeModel } from "../src/onnx/model.js";
import { methods } from "./support/methods.js";
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
  { softmax: "exp" },
  { softmax: "shifted", opset: 11 },
  { softmax: "shifted", opset: 18 },
  { softmax: "reciprocal" },
  { softmax: "log", opset: 13 },
  { product: "values first" },
  { product: "keys first" },
  { qkv: "split" },
  { qkv: "split heads" },
  { qkv: "slices", opset: 13 },
  { batch: 2 },
];

test("one sample, with its axis fixed to 1", async () => {
  const alone = { ...feedsOf(style, 1), ...targets(3) };
  for (const { id: method } of methods) {
    const [expected] = await explained(vit(style), { method }, alone);
    const [row] = await explained(vit({ ...style, batch: 1 }), { method }, alone);
    expect(distance(row!, expected!), method).toBeLessThan(noise(method));
  }
});

/** The whole chain in float64, which no single-precision noise blurs. */
test("gradient x input is what differences of the runtime's own logits say", async () => {
  const exact: VitStyle = { ...style, input: "tokens", type: "float64", norm: "decomposed", activation: "tanh" };
  const model = vit(exact);
  const { tokens } = feedsOf(exact, 1);
  const [row] = await explained(model, { method: "gradient-x-input" }, { tokens: tokens!, ...targets(2) });
  const session = await open(model);
  const logit = async (i: number, by: number): Promise<number> => {
    const values = tokens!.values.with(i, tokens!.values[i]! + by);
    return (await session.run({ tokens: { ...tokens!, values } })).logits!.values[2]!;
  };
  for (let i = 0; i < row!.length; i += 37) {
    const slope = ((await logit(i, 1e-4)) - (await logit(i, -1e-4))) / 2e-4;
    expect(Math.abs(row![i]! - slope * tokens!.values[i]!)).toBeLessThan(1e-6);
  }
  await session.release();
});

/** Relevance divides by sums near zero: float32 decides it to about 1e-3 here, down to the pixels to a tenth. */
const noise = (method: string): number =>
  /^(lrp|res-lrp|attn-lrp)$/.test(method) ? 0.1 : /attribution|lrp/.test(method) ? 3e-3 : 1e-4;

for (const { id: method } of methods)
  test(`${method}: operators or their parts, any opset`, async () => {
    const expected = await explained(vit(style), { method }, feeds);
    for (const spelling of spellings) {
      const rows = await explained(vit({ ...style, ...spelling }), { method }, feeds);
      for (const [i, row] of rows.entries())
        expect(distance(row, expected[i]!), JSON.stringify(spelling)).toBeLessThan(noise(method));
    }
  });

/** The last block is narrowed to the token that is read: a norm inside must stay in one piece. */
test("attention that compares directions, with the norm as an operator or in parts", async () => {
  const spelled = (cosine: "operator" | "decomposed") =>
    explained(vit({ ...style, cosine, opset: 17 }), { method: "transformer-attribution" }, feeds);
  const [a, b] = [await spelled("operator"), await spelled("decomposed")];
  for (const [i, row] of a.entries()) expect(distance(row, b[i]!)).toBeLessThan(noise("transformer-attribution"));
});

test("nodes in any order", async () => {
  const model = readModel(vit(style));
  const shuffled = writeModel({ ...model, graph: { ...model.graph!, node: [...model.graph!.node].reverse() } });
  const [a, b] = [await explained(vit(style), {}, feeds), await explained(shuffled, {}, feeds)];
  expect(b.map((row, i) => distance(row, a[i]!)).every((d) => d < 1e-6)).toBe(true);
});
