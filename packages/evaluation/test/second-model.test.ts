import { describe, expect, it } from "vitest";
import { type Bench, caseContext, chooseMetric, type Explainer, measure } from "../src/index.js";
import { caseOf, exact, fixed, linearModel, vectorSubject } from "./toy.js";

const one = [
  [4, 3, 2, 1],
  [1, 2, 3, 4],
];
const other = [
  [1, 2, 3, 4],
  [4, 3, 2, 1],
];
const subject = vectorSubject([2, 1, 1, 1], [2, 2]);

function held(against: readonly (readonly number[])[], explainer: Explainer<Float32Array>, activation?: "sigmoid") {
  const model = linearModel(one, activation).model;
  const second = { model: linearModel(against, activation).model, explainer: async () => explainer };
  const bench: Bench<Float32Array> = { model, seed: 1, second };
  return async (name: string) => {
    const { values } = await measure(caseContext(caseOf(subject), bench), exact(one), [chooseMetric(name)]);
    return values[name]!.value;
  };
}

describe("two models", () => {
  it("agree with themselves in everything", async () => {
    const value = held(one, exact(one));
    expect(await value("same-decision")).toBe(1);
    expect(await value("probability-change")).toBe(0);
    expect(await value("map-agreement")).toBeCloseTo(1, 12);
    expect(await value("top-overlap:k=50")).toBe(1);
  });

  it("that decide otherwise, and for other reasons, are told apart", async () => {
    // one: 8+3+2+1 = 14 and 2+2+3+4 = 11; other: the reverse. Maps of class 0: [8, 3, 2, 1] and [2, 2, 3, 4].
    const value = held(other, exact(other));
    expect(await value("same-decision")).toBe(0);
    expect(await value("probability-change")).toBeCloseTo(Math.abs(1 / (1 + Math.exp(-3)) - 1 / (1 + Math.exp(3))), 6);
    // ranks 4 3 2 1 and 1.5 1.5 3 4: Pearson of the two
    expect(await value("map-agreement")).toBeCloseTo(-4.5 / Math.sqrt(5 * 4.5), 6);
    expect(await value("top-overlap:k=50")).toBe(0);
    expect(await value("top-overlap:k=75")).toBeCloseTo(2 / 3, 12);
  });

  it("with several labels decide alike when every label has the same sign", async () => {
    expect(await held(other, exact(other), "sigmoid")("same-decision")).toBe(1);
    expect(
      await held(
        [
          [4, 3, 2, 1],
          [-1, -1, -1, -1],
        ],
        exact(other),
        "sigmoid",
      )("same-decision"),
    ).toBe(0);
  });

  it("are not compared where there is one only", async () => {
    const bench: Bench<Float32Array> = { model: linearModel(one).model, seed: 1 };
    const { missing } = await measure(caseContext(caseOf(subject), bench), fixed("x", [1, 2, 3, 4]), [
      chooseMetric("map-agreement"),
    ]);
    expect(missing).toEqual({ "map-agreement": ["second-model"] });
  });
});
