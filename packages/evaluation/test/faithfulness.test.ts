import { describe, expect, it } from "vitest";
import {
  type Case,
  caseContext,
  chooseMetric,
  createRandom,
  type Explainer,
  type Model,
  measure,
  predictAll,
  salienceCoefficient,
} from "../src/index.js";
import { caseOf, exact, fixed, linearModel, vectorSubject } from "./toy.js";

const weights = [
  [4, 3, 2, 1],
  [0, 0, 0, 0],
];
const ones = caseOf(vectorSubject([1, 1, 1, 1]));

async function value(
  name: string,
  explainer: Explainer<Float32Array>,
  of: Case<Float32Array> = ones,
  model: Model<Float32Array> = linearModel(weights).model,
) {
  const { values } = await measure(caseContext(of, { model, seed: 1 }), explainer, [chooseMetric(name)]);
  return values[chooseMetric(name).name]!;
}

const best = exact(weights);
const worst = fixed("worst", [1, 2, 3, 4]);

describe("faithfulness, by hand", () => {
  it("deletion: logits 10, 6, 3, 1, 0 give area 3.75", async () => {
    const { value: area, curve } = await value("deletion:score=logit,steps=4", best);
    expect(curve!.y).toEqual([10, 6, 3, 1, 0]);
    expect(area).toBeCloseTo((5 + 6 + 3 + 1) / 4, 6);
  });

  it("insertion: logits 0, 4, 7, 9, 10 give area 6.25", async () => {
    const { value: area, curve } = await value("insertion:score=logit,steps=4", best);
    expect(curve!.y).toEqual([0, 4, 7, 9, 10]);
    expect(area).toBeCloseTo(6.25, 6);
  });

  it("SRG: 6.25 - 3.75 for the exact map, the opposite for the reversed one", async () => {
    expect((await value("srg:steps=4", best)).value).toBeCloseTo(2.5, 6);
    expect((await value("srg:steps=4", worst)).value).toBeCloseTo(-2.5, 6);
    expect((await value("srg:steps=4", best)).parts).toEqual({ morf: 3.75, lerf: 6.25 });
  });

  it("ABPC is the same on probabilities", async () => {
    const p = (logit: number) => 1 / (1 + Math.exp(-logit));
    const slow = (logits: number[]) => logits.slice(1).reduce((all, y, i) => all + (p(y) + p(logits[i]!)) / 8, 0);
    const expected = slow([10, 9, 7, 4, 0]) - slow([10, 6, 3, 1, 0]);
    expect((await value("abpc:steps=4", best)).value).toBeCloseTo(expected, 5);
  });

  it("AOPC: mean of 0, 4, 7 up to half the units", async () => {
    expect((await value("aopc:score=logit,steps=2", best)).value).toBeCloseTo(11 / 3, 6);
  });

  it("log-odds without the top 25 %", async () => {
    const log = (logit: number) => -Math.log(1 + Math.exp(-logit));
    expect((await value("log-odds:k=25", best)).value).toBeCloseTo(log(6) - log(10), 4);
  });

  it("comprehensiveness and sufficiency use 1, 1, 1, 1 and 2 of four units", async () => {
    const p = (logit: number) => 1 / (1 + Math.exp(-logit));
    expect((await value("comprehensiveness", best)).value).toBeCloseTo(p(10) - (4 * p(6) + p(3)) / 5, 5);
    expect((await value("sufficiency", best)).value).toBeCloseTo(p(10) - (4 * p(4) + p(7)) / 5, 5);
  });

  it("sensitivity-n is 1 and infidelity 0 for the exact map of a linear model", async () => {
    expect((await value("sensitivity-n", best)).value).toBeCloseTo(1, 5);
    expect((await value("infidelity", best)).value).toBeCloseTo(0, 8);
    expect((await value("infidelity-normalised", best)).value).toBeCloseTo(0, 8);
    expect((await value("infidelity-normalised", fixed("null", [0, 0, 0, 0]))).value).toBe(1);
    const double = fixed("double", [8, 6, 4, 2]);
    expect((await value("infidelity:scale=best", double)).value).toBeCloseTo(0, 8);
    // Twice the map is off by the losses themselves, as no map at all is.
    expect((await value("infidelity", double)).value).toBeCloseTo(
      (await value("infidelity", fixed("null", [0, 0, 0, 0]))).value,
      5,
    );
    expect((await value("sensitivity-n", worst)).value).toBeLessThan(-0.5);
  });

  it("infidelity agrees with a slow version over the same draws", async () => {
    const chosen = chooseMetric("infidelity-normalised:sets=8");
    const random = createRandom(1, "case", 0, chosen.name);
    const map = [1, 2, 3, 4];
    const pairs = Array.from({ length: 8 }, () => {
      const size = 1 + random.int(2);
      const gone = random.shuffle([0, 1, 2, 3]).slice(0, size);
      return [gone.reduce((s, i) => s + map[i]!, 0), gone.reduce((s, i) => s + weights[0]![i]!, 0)] as const;
    });
    const cost = (b: number) =>
      pairs.reduce((s, [r, d]) => s + (b * r - d) ** 2, 0) / pairs.reduce((s, [, d]) => s + d * d, 0);
    const scan = Math.min(...Array.from({ length: 20001 }, (_, i) => cost(i / 5000)));
    expect((await value("infidelity-normalised:sets=8", worst)).value).toBeCloseTo(scan, 5);
  });

  it("SaCo: ordered groups score 1, reversed -1, one swap in between", async () => {
    expect((await value("saco:groups=4", best)).value).toBe(1);
    expect((await value("saco:groups=4", worst)).value).toBe(-1);
    // weights 1 (kept), 3, 2 (kept): pairs (3,2) +1, (3,0) +3, (2,0) -2
    expect(salienceCoefficient([3, 2, 0], [5, 1, 4])).toBeCloseTo((1 + 3 - 2) / 6, 12);
  });
});

describe("the paper's perturbation", () => {
  const units = 10;
  const subject = vectorSubject(Array(units).fill(1));
  // class 0 wins while at least one of the first two units stands
  const rows = [
    [1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ];
  const { model: linear } = linearModel(rows);
  const model: Model<Float32Array> = {
    predict: async (batch) => (await linear.predict(batch)).map((y) => Float32Array.from([y[0]! - 0.5, 0])),
  };
  const map = fixed("map", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);

  it("counts accuracy at 0, 10 %, ... 90 % and takes the trapezoid, the untouched input included", async () => {
    const positive = await value("positive-perturbation", map, caseOf(subject), model);
    expect(positive.curve!.y).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(positive.value).toBeCloseTo(100 * (0.1 + 0.05), 6);
    const negative = await value("negative-perturbation", map, caseOf(subject), model);
    expect(negative.value).toBeCloseTo(90, 6);
  });

  it("can take the mean of the nine steps", async () => {
    expect((await value("positive-perturbation:area=mean", map, caseOf(subject), model)).value).toBeCloseTo(100 / 9, 6);
  });

  it("explains the predicted class while accuracy is that of the true label", async () => {
    const wrong = caseOf(subject, { target: 1, label: 1 });
    const seen: number[] = [];
    const explainer: Explainer<Float32Array> = {
      id: "watch",
      explain: async (input, target) => {
        seen.push(target);
        return map.explain(input, target);
      },
    };
    const { curve } = await value("positive-perturbation:class=predicted", explainer, wrong, model);
    expect(seen).toEqual([1, 0]);
    expect(curve!.y).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

describe("cost", () => {
  it("runs one forward per removed set, in batches, and never the untouched input twice", async () => {
    const { model, counter } = linearModel(weights);
    const context = caseContext(ones, { model, seed: 1, batchSize: 3 });
    await measure(context, best, ["deletion:steps=4", "insertion:steps=4", "saco:groups=4"].map(chooseMetric));
    // deletion 4 + insertion 4 + SaCo 4 + untouched 1
    expect(counter.inputs).toBe(13);
    expect(counter.calls).toBe(1 + 2 + 2 + 2);
  });

  it("depends on seed and case alone, not on order, method or company", async () => {
    const run = async (names: string[], seed: number) => {
      const bench = { model: linearModel(weights).model, seed };
      return (await measure(caseContext(ones, bench), worst, names.map(chooseMetric))).values["sensitivity-n"]!.value;
    };
    expect(await run(["sensitivity-n"], 1)).toBe(await run(["infidelity", "deletion", "sensitivity-n"], 1));
    expect(await run(["sensitivity-n"], 1)).not.toBe(await run(["sensitivity-n"], 2));
  });
});

describe("inputs in batches", () => {
  it("are made in order, those of the next batch while one runs, and never further ahead", async () => {
    const log: string[] = [];
    const model = {
      async predict(batch: readonly number[]) {
        log.push(`run ${batch}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
        log.push(`done ${batch}`);
        return batch.map((value) => Float32Array.of(value));
      },
    };
    const make = (index: number) => {
      log.push(`make ${index}`);
      return index;
    };
    expect((await predictAll(model, 5, make, 2)).map(([value]) => value)).toEqual([0, 1, 2, 3, 4]);
    expect(log.join(", ")).toBe(
      "make 0, make 1, run 0,1, make 2, make 3, done 0,1, run 2,3, make 4, done 2,3, run 4, done 4",
    );
    expect(await predictAll(model, 0, make, 2)).toEqual([]);
  });

  it.each([
    [18, [9, 9]],
    [33, [11, 11, 11]],
    [16, [16]],
    [35, [12, 12, 11]],
  ])("are even: %d of at most 16, so that the most is made while something runs", async (count, sizes) => {
    const seen: number[] = [];
    const model = {
      async predict(batch: readonly number[]) {
        seen.push(batch.length);
        return batch.map((value) => Float32Array.of(value));
      },
    };
    expect((await predictAll(model, count, (index) => index)).map(([value]) => value)).toEqual([
      ...Array(count).keys(),
    ]);
    expect(seen).toEqual(sizes);
  });

  it("fail with what the model or the maker says, whoever is first", async () => {
    const broken = { predict: () => Promise.reject(new Error("the model")) };
    await expect(predictAll(broken, 3, (i) => i, 1)).rejects.toThrow("the model");
    const late = (index: number) => {
      if (index > 0) throw new Error("the maker");
      return index;
    };
    await expect(predictAll(broken, 3, late, 1)).rejects.toThrow("the maker");
  });
});
