import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compile, readWeights, replaceWeights } from "../src/index.js";

const file = (path: string) => new Uint8Array(readFileSync(new URL(`../../../${path}`, import.meta.url)));
const shapes = file("models/planted-shapes/onnx/model.onnx");

test("weights come in the order of their use, from the patches to the classes", () => {
  const { weights, nodes } = readWeights(shapes);
  expect(weights.map(({ node }) => node)).toEqual(weights.map(({ node }) => node).sort((a, b) => a - b));
  expect(weights.every(({ node }) => node < nodes.length)).toBe(true);
  const numbers = weights.reduce((total, { values }) => total + values.length, 0);
  expect(4 * numbers).toBeGreaterThan(0.95 * 1_230_000);
  const [first, last] = [weights[0]!, weights.filter(({ dims }) => dims.length === 2).at(-1)!];
  expect(first.dims).toContain(96);
  expect([...last.dims].sort()).toEqual([6, 96]);
});

test("replaced weights are read back, the others stay, and the model can still be explained", () => {
  const { weights } = readWeights(shapes);
  const chosen = weights.at(-1)!;
  const values = chosen.values.map((_, i) => i / 8);
  const changed = replaceWeights(shapes, new Map([[chosen.name, values]]));
  for (const { name, values: now } of readWeights(changed).weights) {
    const expected = name === chosen.name ? values : weights.find((weight) => weight.name === name)!.values;
    expect([name, now.every((value, i) => value === expected[i])]).toEqual([name, true]);
  }
  expect(readWeights(shapes).weights.at(-1)!.values).toEqual(chosen.values);
  expect(compile(changed).report.diagnostics).toEqual([]);
});

test("a compiled model is taken as the model that it was made from", () => {
  const names = (bytes: Uint8Array) => readWeights(bytes).weights.map(({ name }) => name);
  expect(names(compile(shapes).bytes)).toEqual(names(shapes));
});

test.each([
  ["float16", "test/collection/bert/ts-op17-eager-fp16.onnx", 0.25],
  ["int8", "test/collection/bert/ts-op17-eager-int8.onnx", 3],
] as const)("%s weights are written in their own type", (_, path, value) => {
  const model = file(path);
  const { weights } = readWeights(model);
  const matrices = weights.filter(({ dims }) => dims.length > 1);
  expect(matrices.length).toBeGreaterThan(10);
  const all = new Map(matrices.map(({ name, values }) => [name, values.map(() => value)]));
  const now = readWeights(replaceWeights(model, all)).weights;
  for (const { name } of matrices) {
    expect(now.find((weight) => weight.name === name)!.values.every((one) => one === value)).toBe(true);
  }
});

test("weights in another file are named, not left out", () => {
  expect(() => readWeights(file("test/collection/vit/ts-op17-eager-external.onnx"))).toThrow(/E002 .*\n.*weight "/);
});
