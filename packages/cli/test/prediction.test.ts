import { expect, test } from "vitest";
import { percent, ranked, score } from "../src/explain/prediction.js";

test("one of many: softmax, stable for large logits", () => {
  const scores = score([1000, 1001, 990]);
  expect(scores.map(({ probability }) => probability!).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect(ranked(scores).map(({ index }) => index)).toEqual([1, 0, 2]);
});

test("several labels at once: a sigmoid for each", () => {
  const scores = score([0, 2], { kind: "independent" }, ["cell", "platelet"]);
  expect(scores[0]).toEqual({ index: 0, label: "cell", logit: 0, probability: 0.5 });
  expect(scores[1]!.probability).toBeCloseTo(0.880797, 6);
});

test("a number is no probability", () => {
  expect(score([3.2])[0]!.probability).toBeUndefined();
  expect(score([3.2], { kind: "value" })[0]!.probability).toBeUndefined();
  expect(score([3.2, 1], { kind: "value" })[0]!.probability).toBeUndefined();
});

test("percentages never round to certainty", () => {
  expect([1, 0.9999, 0.5, 0.0004, 0].map(percent)).toEqual(["100.0 %", ">99.9 %", "50.0 %", "<0.1 %", "0.0 %"]);
});
