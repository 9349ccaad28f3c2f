/** A vector of length one is appended: pooled after the model as a model pools that does so itself. */
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { array, open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { readModel } from "../src/onnx/model.js";
import { type Pooling, withVector } from "../src/vector.js";
import { families, fileOf, goldensOf, inputsOf } from "./collection/collection.js";
import { distance } from "./support/program.js";

const family = families.find(({ family }) => family === "sentence")!;
const model = fileOf(family.spellings.find(({ spelling }) => spelling === "ts-op17-eager")!.file);
const feeds = inputsOf(family, goldensOf(family));
const WIDTH = 32;

/** The same encoder with its tokens as a further output: what the mean is taken of. */
function withTokens(): Uint8Array {
  const { node } = readModel(model).graph!;
  const producer = (name: string) => node.find(({ output }) => output.includes(name));
  const sum = node
    .filter(({ opType }) => opType === "ReduceSum")
    .find(({ input }) => producer(input[0]!)?.opType === "Mul")!;
  const hidden = producer(sum.input[0]!)!.input[0]!;
  const m = new ModelWriter({ opset: 17 });
  m.output(hidden, "float32", ["batch", "sequence", WIDTH], "last_hidden_state");
  return Buffer.concat([model, m.bytes()]);
}

async function run(bytes: Uint8Array, names: string[], extra = {}) {
  const session = await open(bytes);
  const outputs = await session.run({ ...feeds, ...extra }, names);
  await session.release();
  return outputs;
}

test("the original stays an exact prefix, and a compiled model is cut back first", () => {
  const { bytes } = withVector(model, { output: "sentence_embedding" });
  expect(Buffer.from(bytes.subarray(0, model.length)).equals(model)).toBe(true);
  expect(withVector(compile(model).bytes, { output: "sentence_embedding" }).bytes).toEqual(bytes);
});

test("pooled outside or inside: the same vector and the same explanation", async () => {
  const [own, outside] = [
    withVector(model, { output: "sentence_embedding" }),
    withVector(withTokens(), { output: "last_hidden_state" }),
  ];
  expect([own.pooled, outside.pooled]).toEqual([false, true]);
  const target = array(
    "float32",
    Array.from({ length: 2 * WIDTH }, (_, i) => Math.sin(i)),
    [2, WIDTH],
  );
  for (const method of ["transformer-attribution", "generic-attention", "gradient-x-input", "attn-lrp"]) {
    const [expected, ...others] = await Promise.all(
      [model, own.bytes, outside.bytes].map(async (bytes, i) => {
        const output = ["sentence_embedding", own.output, outside.output][i]!;
        const compiled = compile(bytes, { method, output, target: "weights" });
        const found = await run(compiled.bytes, [output, "relevance"], { target });
        return { vector: found[output]!.values, relevance: found.relevance!.values };
      }),
    );
    for (const each of others) {
      expect(distance(each.vector, expected!.vector)).toBeLessThan(1e-5);
      expect(distance(each.relevance, expected!.relevance), method).toBeLessThan(2e-3);
    }
  }
});

test.each<[Pooling, (mask: number[]) => number]>([
  ["class", () => 0],
  ["last", (mask) => mask.lastIndexOf(1)],
])("%s takes one token that is no padding", async (pooling, at) => {
  const { bytes, output } = withVector(withTokens(), { output: "last_hidden_state", pooling });
  const { [output]: vector, last_hidden_state: tokens } = await run(bytes, [output, "last_hidden_state"]);
  const count = tokens!.dims[1]!;
  for (const sample of [0, 1]) {
    const mask = feeds.attention_mask!.values.slice(sample * count, (sample + 1) * count);
    const start = (sample * count + at(mask)) * WIDTH;
    const token = tokens!.values.slice(start, start + WIDTH);
    const length = Math.hypot(...token);
    const own = vector!.values.slice(sample * WIDTH, (sample + 1) * WIDTH);
    expect(
      distance(
        own,
        token.map((value) => value / length),
      ),
    ).toBeLessThan(1e-5);
  }
});

test("an output that is no vector is refused", () => {
  expect(() => withVector(model, { output: "nothing" })).toThrow(/E012/);
  const dense = fileOf(families.find(({ family }) => family === "dense_vit")!.spellings[0]!.file);
  expect(() => withVector(dense, { output: "logits" })).toThrow(/E032/);
});
