import { describe, expect, it } from "vitest";
import {
  type Bench,
  caseContext,
  chooseMetric,
  type Explainer,
  entropy,
  gini,
  measure,
  metrics,
  randomisedWeights,
  structuralSimilarity,
} from "../src/index.js";
import { caseOf, exact, fixed, linearModel, vectorSubject } from "./toy.js";

const weights = [
  [4, 3, 2, 1],
  [1, 2, 3, 4],
  [1, 1, 1, 1],
];
const subject = vectorSubject([1, 1, 1, 1], [2, 2]);
const bench: Bench<Float32Array> = { model: linearModel(weights).model, seed: 3 };

const value = async (name: string, explainer: Explainer<Float32Array>, more: Partial<Bench<Float32Array>> = {}) =>
  (await measure(caseContext(caseOf(subject), { ...bench, ...more }), explainer, [chooseMetric(name)])).values[name]!;

describe("sanity", () => {
  it("a map that ignores the class is exactly not class-specific", async () => {
    const rollout = fixed("rollout", [1, 2, 3, 4]);
    expect(await value("class-sensitivity", rollout)).toEqual({ value: 0, note: "not class-specific" });
    expect(await value("random-logit", rollout)).toEqual({ value: 1, note: "not class-specific" });
  });

  it("class sensitivity of opposite maps is 2, of an uncorrelated one 1: mean 1.5", async () => {
    expect((await value("class-sensitivity", exact(weights))).value).toBeCloseTo(1.5, 6);
  });

  it("cascades over the depths that the caller offers", async () => {
    const maps = [
      [4, 3, 1, 2],
      [1, 2, 3, 4],
    ];
    const randomised = async (_: Explainer<Float32Array>, depth: number) =>
      maps[depth - 1] ? fixed("random", maps[depth - 1]!) : undefined;
    const { value: mean, curve } = await value("weight-randomisation", exact(weights), { randomised });
    expect(curve!.y[0]).toBeCloseTo(0.8, 12);
    expect(curve!.y[1]).toBeCloseTo(-1, 12);
    expect(mean).toBeCloseTo(-0.1, 12);
  });

  it("SSIM is 1 for equal maps and agrees with the formula on one window", () => {
    const a = [0, 1, 1, 0];
    const b = [0, 1, 0, 1];
    expect(structuralSimilarity(a, a, 2)).toBeCloseTo(1, 12);
    // means .5, variances .25, covariance 0
    expect(structuralSimilarity(a, b, 2)).toBeCloseTo(0.03 ** 2 / (0.5 + 0.03 ** 2), 10);
  });
});

describe("random weights", () => {
  const layers = ["a", "b", "c"].map((name, i) => ({
    name,
    weights: [{ name: `${name}.w`, values: Float32Array.from({ length: 4000 }, (_, k) => i + (k % 2 ? 0.5 : -0.5)) }],
  }));

  it("cascade from the output, keep mean and deviation, and stay the same at every depth", () => {
    expect([...randomisedWeights(layers, 2, 1)!.keys()]).toEqual(["b.w", "c.w"]);
    expect(randomisedWeights(layers, 4, 1)).toBeUndefined();
    const [one, all] = [randomisedWeights(layers, 1, 1)!, randomisedWeights(layers, 3, 1)!];
    expect(one.get("c.w")).toEqual(all.get("c.w"));
    expect(randomisedWeights(layers, 1, 2)!.get("c.w")).not.toEqual(one.get("c.w"));
    const values = one.get("c.w")!;
    const mean = values.reduce((s, v) => s + v, 0) / 4000;
    expect(Math.abs(mean - 2)).toBeLessThan(0.03);
    expect(Math.abs(Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / 4000) - 0.5)).toBeLessThan(0.03);
  });
});

describe("robustness", () => {
  it("a map that does not look at the input never moves", async () => {
    expect((await value("max-sensitivity", fixed("still", [1, 2, 3, 4]))).value).toBe(0);
    expect((await value("noise-agreement", fixed("still", [1, 2, 3, 4]))).value).toBeCloseTo(1, 12);
  });

  it("weight times input moves by at most radius * |w| / |w x|", async () => {
    const { value: moved } = await value("max-sensitivity", exact(weights));
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThanOrEqual(0.02 + 1e-6);
  });
});

describe("complexity", () => {
  it("Gini and entropy of one unit, even units and a hand-computed map", () => {
    expect(gini([0, 0, 0, 5])).toBeCloseTo(0.75, 12);
    expect(gini([2, 2, 2, 2])).toBeCloseTo(0, 12);
    // sorted 1 1 2 4, sum 8: 1 - 2/8 * (1*3.5 + 1*2.5 + 2*1.5 + 4*.5)/4
    expect(gini([4, -2, 1, 1])).toBeCloseTo(1 - (2 / 8) * (11 / 4), 12);
    expect(entropy([0, 7, 0])).toBeCloseTo(0, 12);
    expect(entropy([1, 1, 1])).toBeCloseTo(1, 12);
    expect(entropy([1, -1, 0, 0])).toBeCloseTo(0.5, 12);
  });
});

describe("axioms and cost", () => {
  it("the exact map of a linear model is complete, half of it is not", async () => {
    expect((await value("completeness", exact(weights))).value).toBeCloseTo(0, 6);
    expect((await value("completeness", fixed("half", [2, 1.5, 1, 0.5]))).value).toBeCloseTo(0.5, 6);
    expect((await value("completeness:value=difference", exact(weights))).value).toBeCloseTo(0, 6);
  });

  it("conservation is the mean distance of the block sums from 1", async () => {
    const leaking: Explainer<Float32Array> = { ...fixed("leak", [1, 1, 1, 1]), sums: async () => [1, 0.9, 1.3] };
    expect((await value("conservation", leaking)).value).toBeCloseTo(0.4 / 3, 12);
  });

  it("takes time from the clock and memory from whoever can measure it; else memory is left out, not guessed", async () => {
    let now = 0;
    const clock = () => (now += 5);
    const plain = fixed("map", [1, 1, 1, 1]);
    const method = { ...plain, bytes: async (input: Float32Array) => 500_000 * input.length };
    expect((await value("time", method, { clock })).value).toBe(5);
    expect((await value("memory", method)).value).toBe(2);
    const { values, missing } = await measure(caseContext(caseOf(subject), bench), plain, [chooseMetric("memory")]);
    expect([values.memory, missing.memory]).toEqual([undefined, ["memory-meter"]]);
  });
});

describe("registry", () => {
  it("has unique ids, a title and a citation for each", () => {
    expect(new Set(metrics.map((metric) => metric.id)).size).toBe(metrics.length);
    for (const metric of metrics) expect([metric.title.length > 3, metric.citation.length > 10]).toEqual([true, true]);
  });

  it("reads options, names what differs and refuses what it does not know", () => {
    expect(chooseMetric("deletion:fill=neutral").name).toBe("deletion");
    expect(chooseMetric("deletion:score=logit,fill=blur").name).toBe("deletion:score=logit,fill=blur");
    expect(() => chooseMetric("delection")).toThrow('no metric "delection"');
    expect(() => chooseMetric("deletion:fill=black")).toThrow(
      "choose from zero, neutral, mean, blur, rise-blur, linear",
    );
    expect(() => chooseMetric("deletion:colour=1")).toThrow('unknown option "colour"');
    expect(() => chooseMetric("deletion:steps=0")).toThrow("give a number from 1 to 10000");
  });
});
