/** What docs/examples promises to other programs: the inputs that compiled models ask for, and the outputs that they give. */
import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { compile } from "vitrail";

const root = new URL("../../", import.meta.url);
const read = (path: string) => new Uint8Array(readFileSync(new URL(path, root)));
const pixels = Float32Array.from({ length: 3 * 96 * 96 }, (_, i) => Math.sin(i / 50));
const ids = BigInt64Array.from([2, 60, 70, 80, 3].map(BigInt));

const subjects = {
  "blood-cells": { pixel_values: new Tensor("float32", pixels, [1, 3, 96, 96]) },
  "toxic-sentences": {
    input_ids: new Tensor("int64", ids, [1, 5]),
    attention_mask: new Tensor("int64", new BigInt64Array(5).fill(1n), [1, 5]),
  },
};

/** What transformers.js does: it feeds the inputs that the session names, and hands on all outputs by their names. */
for (const [name, feeds] of Object.entries(subjects))
  test(`${name}, compiled to find its own class, is fed as before and gives relevance beside its outputs`, async () => {
    const original = read(`models/${name}/onnx/model.onnx`);
    const [plain, compiled, asked] = await Promise.all(
      [original, compile(original, { target: "predicted" }).bytes, compile(original, { target: "index" }).bytes].map(
        (bytes) => InferenceSession.create(bytes),
      ),
    );
    expect(compiled!.inputNames).toEqual(plain!.inputNames);
    expect(Object.keys(feeds)).toEqual(plain!.inputNames);
    expect(compiled!.outputNames).toEqual([...plain!.outputNames, "relevance"]);
    const [before, after] = [await plain!.run(feeds), await compiled!.run(feeds)];
    for (const output of plain!.outputNames)
      for (const [i, value] of (after[output]!.data as Float32Array).entries())
        expect(value).toBeCloseTo((before[output]!.data as Float32Array)[i]!, 4);
    const logits = before.logits!.data as Float32Array;
    const target = new Tensor("int64", BigInt64Array.of(BigInt(logits.indexOf(Math.max(...logits)))), [1]);
    const { relevance } = await asked!.run({ ...feeds, target });
    expect(after.relevance!.dims).toEqual(relevance!.dims);
    const largest = Math.max(...(relevance!.data as Float32Array));
    expect(largest).toBeGreaterThan(0);
    for (const [i, value] of (after.relevance!.data as Float32Array).entries())
      expect(value / largest).toBeCloseTo((relevance!.data as Float32Array)[i]! / largest, 3);
    await Promise.all([plain, compiled, asked].map((session) => session!.release()));
  });

test("the configuration for Triton names the compiled model's inputs and outputs", async () => {
  const page = new TextDecoder().decode(read("docs/examples/python.md"));
  const [, config] = /<!-- code:triton -->([\s\S]*?)<!-- \/code:triton -->/.exec(page)!;
  const entries = [
    ...config!.matchAll(
      /\{ name: "(\w+)", data_type: TYPE_(\w+), dims: \[ ([\d, ]+) \](, reshape: \{ shape: \[ \] \})?/g,
    ),
  ];
  const written = entries.map(([, name, type, dims, reshape]) => [
    name,
    type === "FP32" ? "float32" : "int64",
    reshape ? [] : dims!.split(",").map(Number),
  ]);
  const session = await InferenceSession.create(compile(read("models/blood-cells/onnx/model.onnx")).bytes);
  const values = [...session.inputMetadata, ...session.outputMetadata];
  await session.release();
  // The batch is the server's.
  expect(written).toEqual(values.map((value) => value.isTensor && [value.name, value.type, value.shape.slice(1)]));
});
