/** A map that explains nothing says so: not a number somewhere, or zero everywhere. */
import { expect, test } from "vitest";
import type { Metadata } from "../src/metadata.js";
import { Explanation } from "../src/runtime/explanation.js";
import { tensor } from "../src/runtime/tensor.js";

const metadata = { method: "lrp", output: "logits", relevance: { name: "relevance", kind: "tokens" } } as Metadata;

/** Two samples of three values, and what the model says of them. */
const explanation = (values: readonly number[], logits: readonly number[] = [1, 2, 3, 4]) =>
  new Explanation(
    { logits: tensor(Float32Array.from(logits), [2, 2]) },
    tensor(Float32Array.from(values), [2, 3]),
    metadata,
    [[0], [1]],
    [2, 3],
  );

test("each sample by itself", () => {
  const found = explanation([0, 0, 0, 1, 0, -1]);
  expect(found.problem(0)).toMatchObject({ code: "E041", kind: "input" });
  expect(found.problem(1)).toBeUndefined();
});

test("what is not a number is counted", () => {
  const found = explanation([1, Number.NaN, Number.POSITIVE_INFINITY, 0, 1, 0]);
  expect(found.problem(0)).toMatchObject({ code: "E040", why: "2 of 3 values of lrp are not finite" });
  expect(found.problem(1)).toBeUndefined();
});

test("an answer of the model that is no number is its input's problem, whatever the map is", () => {
  const found = explanation([1, 2, 3, 1, 2, 3], [1, 2, Number.NaN, 4]);
  expect(found.problem(0)).toBeUndefined();
  expect(found.problem(1)).toMatchObject({
    code: "E073",
    kind: "input",
    at: 'output "logits"',
    why: "1 of 2 values are NaN or infinite",
  });
  expect(explanation([1, 1, 1, 1, 1, 1], [Number.POSITIVE_INFINITY, 0, 0, 0]).problem(0)).toMatchObject({
    code: "E073",
  });
});

test("a class that the model rules out is no problem, unless it is explained", () => {
  const ruledOut = Number.NEGATIVE_INFINITY;
  expect(explanation([1, 1, 1, 1, 1, 1], [0, ruledOut, 0, 0]).problem(0)).toBeUndefined();
  expect(explanation([1, 1, 1, 1, 1, 1], [ruledOut, 0, 0, 0]).problem(0)).toMatchObject({
    code: "E073",
    why: "the explained value is minus infinity",
  });
});
