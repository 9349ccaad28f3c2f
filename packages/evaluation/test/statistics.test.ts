import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  area,
  baselineExplainer,
  bootstrap,
  bootstrapMean,
  centre,
  chooseMetric,
  compare,
  createRandom,
  descending,
  pearson,
  quantile,
  random,
  ranks,
  separates,
  spearman,
  summarise,
  trapezoid,
} from "../src/index.js";
import { caseOf, vectorSubject } from "./toy.js";

const rows = (values: readonly number[], group = (i: number) => `${i}`) =>
  values.map((value, i) => ({ group: group(i), measurement: { value } }));
const gini = chooseMetric("gini").metric;

describe("random", () => {
  it("are the same everywhere and for ever: data, figures and models were made with them", () => {
    const stream = createRandom(7, "stream");
    expect([stream.next(), stream.next(), stream.int(1e6)]).toEqual([0.6049629135522991, 0.2260824372060597, 849385]);
    expect(stream.normal()).toBeCloseTo(0.48661729172808704, 12);
    for (let i = 0; i < 1e5; i++) stream.next();
    expect(stream.next()).toBe(0.10714853089302778);
  });

  it("is the same for the same seeds and differs between purposes", () => {
    const draw = (...seeds: (string | number)[]) => Array.from({ length: 4 }, createRandom(...seeds).next);
    expect(draw(1, "a")).toEqual(draw(1, "a"));
    expect(draw(1, "a")).not.toEqual(draw(1, "b"));
    expect(draw("1a")).not.toEqual(draw("1", "a"));
    expect(draw(7)[0]).toBeCloseTo(0.946028541540727, 12);
  });

  it("is even and normal enough", () => {
    const stream = createRandom("moments");
    const uniform = Array.from({ length: 20_000 }, () => stream.next());
    const normal = Array.from({ length: 20_000 }, () => stream.normal());
    const moment = (values: number[], power: number) => values.reduce((s, v) => s + v ** power, 0) / values.length;
    expect(moment(uniform, 1)).toBeCloseTo(0.5, 1.9);
    expect(Math.abs(moment(normal, 1))).toBeLessThan(0.03);
    expect(Math.abs(moment(normal, 2) - 1)).toBeLessThan(0.04);
    expect([...stream.shuffle([1, 2, 3, 4, 5])].sort()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("ranks", () => {
  it("share ties, correlate, integrate", () => {
    expect([...ranks([10, 20, 20, 5])]).toEqual([2, 3.5, 3.5, 1]);
    expect(spearman([1, 2, 3, 4], [10, 20, 40, 30])).toBeCloseTo(0.8, 12);
    expect(pearson([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
    expect(pearson([1, 1, 1], [2, 4, 6])).toBe(0);
    expect(trapezoid([0, 1, 3], [0, 2, 4])).toBe(7);
    expect(quantile([0, 10, 20], 0.75)).toBe(15);
  });

  it("orders downwards and breaks ties at random", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), (scores) => {
        const order = [...descending(scores, createRandom(2))];
        expect(order.map((i) => scores[i])).toEqual([...scores].sort((a, b) => b - a));
        expect([...order].sort((a, b) => a - b)).toEqual(scores.map((_, i) => i));
      }),
    );
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, maxLength: 40 }), fc.nat(), (scores, seed) => {
        expect(descending(scores, createRandom(seed))).toEqual(descending([...scores], createRandom(seed)));
      }),
    );
    const firsts = Array.from({ length: 200 }, (_, seed) => descending([1, 1, 1, 1], createRandom(seed))[0]);
    expect(new Set(firsts).size).toBe(4);
  });
});

describe("intervals", () => {
  it("agree with the normal approximation of the mean", () => {
    const stream = createRandom("interval");
    const values = Array.from({ length: 400 }, () => stream.normal());
    const { low, high, value } = summarise(gini, rows(values), { seed: 1 });
    expect(high - low).toBeCloseTo((2 * 1.96) / 20, 1);
    expect(low < value && value < high).toBe(true);
  });

  it("resample groups: ten copies of a row do not make it surer", () => {
    const values = Array.from({ length: 200 }, (_, i) => Math.floor(i / 10) % 2);
    const alone = summarise(gini, rows(values));
    const grouped = summarise(
      gini,
      rows(values, (i) => `${Math.floor(i / 10)}`),
    );
    expect(grouped.groups).toBe(20);
    expect(grouped.high - grouped.low).toBeGreaterThan(2.5 * (alone.high - alone.low));
  });

  it("pair: a small constant gain is certain although both sides scatter", () => {
    const stream = createRandom("pairs");
    const a = Array.from({ length: 50 }, () => 10 * stream.normal());
    const gain = compare(gini, rows(a.map((value) => value + 0.1)), rows(a));
    expect(gain.value).toBeCloseTo(0.1, 10);
    expect(separates(gini, gain)).toBe(true);
    expect(separates(gini, compare(gini, rows(a), rows(a)))).toBe(false);
    expect(() => compare(gini, rows([1]), rows([1, 2]))).toThrow("same cases");
  });

  it("do not depend on anything but the seed", () => {
    const groups = ["a", "b", "c"];
    const statistic = (chosen: readonly number[]) => chosen.reduce((s, i) => s + i, 0);
    expect(bootstrap(groups, statistic, { seed: 4 })).toEqual(bootstrap(groups, statistic, { seed: 4 }));
  });

  it("of a mean are the same by the fast way", () => {
    const groups = ["a", "a", "b", "c", "c", "c", "d"];
    const values = [1, 5, 2, 8, 3, 4, 9];
    const slow = bootstrap(groups, (chosen) => chosen.reduce((s, i) => s + values[i]!, 0) / chosen.length, { seed: 2 });
    const fast = bootstrapMean(groups, values, { seed: 2 });
    expect(fast.low).toBeCloseTo(slow.low, 12);
    expect(fast.high).toBeCloseTo(slow.high, 12);
  });
});

describe("baselines", () => {
  it("random is seeded per case and class, centre peaks in the middle, area is even", async () => {
    const of = caseOf(vectorSubject(Array(9).fill(1), [3, 3]));
    const draw = (seed: number, target = 0) => baselineExplainer(random, of, seed).explain(of.subject.input, target);
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
    expect(await draw(1)).not.toEqual(await draw(1, 1));
    const blob = centre.map(of.subject);
    expect(blob.indexOf(Math.max(...blob))).toBe(4);
    expect(blob[0]).toBeCloseTo(blob[8]!, 12);
    expect([...area.map(of.subject)]).toEqual(Array(9).fill(1));
  });
});
