/** Metrics that no other library has, each against its definition on inputs small enough to work out by hand. */
import { describe, expect, it } from "vitest";
import {
  type Case,
  caseContext,
  chooseMetric,
  createRandom,
  disagreement,
  type Explainer,
  harmonic,
  histogramEntropy,
  iouF1,
  type Model,
  measure,
  partRanking,
  partSigns,
  pictureCases,
  pictureSubject,
  relativeChange,
  rocArea,
  spansOf,
} from "../src/index.js";
import { caseOf, exact, fixed, linearModel, vectorSubject } from "./toy.js";

const weights = [
  [4, 3, 2, 1],
  [0, 0, 0, 0],
];

describe("metrics by hand", () => {
  it("ROC AUC counts pairs, equal scores half", () => {
    const stream = createRandom("auc");
    const scores = Float32Array.from({ length: 40 }, () => stream.int(6));
    const truth = Uint8Array.from({ length: 40 }, () => stream.int(2));
    let [won, all] = [0, 0];
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < 40; j++) {
        if (!truth[i] || truth[j]) continue;
        all++;
        won += scores[i]! > scores[j]! ? 1 : scores[i] === scores[j] ? 0.5 : 0;
      }
    expect(rocArea(scores, truth)).toBeCloseTo(won / all, 12);
    expect(rocArea([1, 2], Uint8Array.of(0, 0))).toBe(0.5);
  });

  it("spans join neighbours; IOU-F1 matches at half", () => {
    expect(spansOf([0, 1, 1, 0, 1])).toEqual([
      [1, 3],
      [4, 5],
    ]);
    // The first matches with 2/3, the second with nothing: precision 1/2, recall 1.
    expect(
      iouF1(
        [
          [0, 2],
          [7, 8],
        ],
        [[0, 3]],
      ),
    ).toBeCloseTo(2 / 3, 12);
    expect(iouF1([[0, 1]], [[0, 3]])).toBe(0);
    expect(iouF1([], [[0, 3]])).toBe(0);
  });

  it("non-sensitivity: silent units are idle ones", () => {
    expect(disagreement([1, 0, 0.5], [2, 0, 1], 2, 0.01)).toBe(0);
    expect(disagreement([1, 0, 0.5], [2, 1, 0], 2, 0.01)).toBeCloseTo(2 / 3, 12);
  });

  it("relative change is a norm of quotients", () => {
    expect(relativeChange([1, 2], [1.5, 1])).toBeCloseTo(Math.hypot(0.5, 0.5), 12);
  });

  it("the entropy of a histogram: even values fill all bins, one value none", () => {
    expect(histogramEntropy([0, 1, 2, 3], 4)).toBeCloseTo(Math.log(4), 12);
    expect(histogramEntropy([2, 2, 2], 4)).toBe(0);
  });

  it("ARCC is a harmonic mean, and 0 where one of the three is", () => {
    expect(harmonic(0.5, 0.5, 0.5)).toBeCloseTo(0.5, 12);
    expect(harmonic(1, 0.5, 0.75)).toBeCloseTo(3 / (1 + 2 + 4), 12);
    expect(harmonic(0, 0.1, 0.1)).toBe(0);
  });

  it("parts: ranks as the model's losses, and the sign of what speaks against", () => {
    const parts = [
      { said: 3, lost: 2 },
      { said: 1, lost: 1 },
      { said: -2, lost: -1 },
    ];
    expect(partRanking(parts)).toBeCloseTo(1, 12);
    expect(partSigns(parts)).toBe(1);
    const positive = parts.map(({ said, lost }) => ({ said: Math.abs(said), lost }));
    expect(partSigns(positive)).toBeCloseTo(3 / 4, 12);
    expect(partSigns(parts.map(({ lost }) => ({ said: 0, lost })))).toBe(0.5);
  });
});

describe("metrics that ask the model", () => {
  const figureOf = async <I>(name: string, of: Case<I>, model: Model<I>, explainer: Explainer<I>, more = {}) => {
    const { values, missing } = await measure(caseContext(of, { model, seed: 1, ...more }), explainer, [
      chooseMetric(name),
    ]);
    expect(missing).toEqual({});
    return values[chooseMetric(name).name]!.value;
  };

  it("monotonicity is 1 for the exact map of a linear model with positive terms, all or share", async () => {
    const of = caseOf(vectorSubject([1, 1, 1, 1]));
    for (const name of ["monotonicity:score=logit", "monotonicity:ask=all"]) {
      expect(await figureOf(name, of, linearModel(weights).model, exact(weights))).toBe(1);
    }
    const mixed = [
      [4, -3, 2, -1],
      [0, 0, 0, 0],
    ];
    // From the least relevant on: -3, -1, 2, 4 are added, so that half of the steps fall.
    expect(await figureOf("monotonicity:score=logit", of, linearModel(mixed).model, exact(mixed))).toBe(0.5);
    expect(await figureOf("monotonicity:score=logit,ask=all", of, linearModel(mixed).model, exact(mixed))).toBe(0);
  });

  it("IROF: one less the mean share that is left, patches taken away one by one", async () => {
    const of = caseOf(vectorSubject([1, 1, 1, 1], [2, 2]));
    const p = (logit: number) => 1 / (1 + Math.exp(-logit));
    const left = [6, 3, 1, 0].map((logit) => p(logit) / p(10));
    const area = left.slice(1).reduce((total, value, i) => total + (value + left[i]!) / 2, 0);
    expect(await figureOf("irof-patches", of, linearModel(weights).model, exact(weights))).toBeCloseTo(1 - area / 4, 5);
  });

  it("efficient MPRT looks at the deepest random model, smooth MPRT at all, on the same noise", async () => {
    const of = caseOf(vectorSubject([1, 2, 3, 4]));
    const noise = fixed("noise", [0, 1, 2, 3]);
    const deep = async (_: Explainer<Float32Array>, depth: number) => (depth <= 2 ? noise : undefined);
    const flat = fixed("flat", [0, 0, 1, 1]);
    const rise = (Math.log(4) - Math.log(2)) / Math.log(2);
    expect(
      await figureOf("efficient-mprt:bins=4", of, linearModel(weights).model, flat, { randomised: deep }),
    ).toBeCloseTo(rise, 6);
    const same = async (explainer: Explainer<Float32Array>, depth: number) => (depth <= 3 ? explainer : undefined);
    expect(
      await figureOf("smooth-mprt:draws=3", of, linearModel(weights).model, exact(weights), { randomised: same }),
    ).toBe(1);
  });

  it("ARCC multiplies the normalised picture by the map", async () => {
    const subject = pictureSubject({
      pixels: Float32Array.of(0.2, 0.4, 0.6, 1),
      channels: 1,
      height: 2,
      width: 2,
      grid: [2, 2],
      neutral: [0.5],
      toInput: (pixels) => pixels.map((value) => value - 0.5),
    });
    const input = subject.pixels.weighted!([1, 0, 0.5, 1]);
    expect([...input].map((value) => value.toFixed(3))).toEqual(["-0.300", "0.000", "0.050", "0.500"]);
    const { model } = linearModel(weights);
    const map = fixed("map", [0, 0.5, 1, 0.25]);
    const score = await figureOf("arcc", caseOf(subject), model, map);
    const [before, after] = (await model.predict([subject.input, subject.pixels.weighted!([0, 0.5, 1, 0.25])])).map(
      ([own, other]) => 1 / (1 + Math.exp(other! - own!)),
    );
    const drop = Math.max(0, before! - after!) / before!;
    expect(score).toBeCloseTo(harmonic(1, 1.75 / 4, drop), 5);
  });

  it("planted scenes know their objects: the truth about one is what the model loses without it", async () => {
    const of = Array.from({ length: 20 }, (_, seed) => pictureCases(seed, {}, (planes) => planes.slice()))
      .flat()
      .find(({ parts }) => parts!.length > 2)!;
    const parts = of.parts!;
    // The model sums the first channel; what an object is worth is then the sum of what it changes.
    const model: Model<Float32Array> = {
      predict: async (batch) =>
        batch.map((x) =>
          Float32Array.of(
            x.slice(0, 96 * 96).reduce((a, b) => a + b, 0),
            0,
            0,
            0,
            0,
            0,
          ),
        ),
    };
    const own = { ...of, target: 0 };
    const changes = parts.map((part) => {
      const without = part.without();
      const map = Float32Array.from({ length: 96 * 96 }, (_, i) => of.subject.input[i]! - without[i]!);
      expect(map.every((value, i) => value === 0 || part.mask[i] === 1)).toBe(true);
      return map;
    });
    const truth = changes[0]!.map((_, i) => changes.reduce((total, map) => total + map[i]!, 0));
    const explainer: Explainer<Float32Array> = { id: "truth", explain: async () => truth };
    expect(await figureOf("part-deletion", own, model, explainer)).toBeCloseTo(1, 6);
    expect(await figureOf("part-sign", own, model, explainer)).toBe(1);
    const blind: Explainer<Float32Array> = { id: "size", explain: async () => truth.map(Math.abs) };
    expect(await figureOf("part-sign", own, model, blind)).toBeLessThan(1);
  });
});
