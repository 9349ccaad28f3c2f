import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  area,
  baselineExplainer,
  centre,
  chooseMetric,
  compare,
  createRandom,
  descending,
  holm,
  mean,
  normalQuantile,
  normalShare,
  pearson,
  permutationP,
  quantile,
  type Random,
  random,
  ranks,
  separates,
  spearman,
  studentQuantile,
  summarise,
  trapezoid,
} from "../src/index.js";
import { caseOf, vectorSubject } from "./toy.js";

const rows = (values: readonly number[], group = (i: number) => `${i}`) =>
  values.map((value, i) => ({ group: group(i), measurement: { value } }));
const plain = { ...chooseMetric("time").metric, direction: "up" as const };
const hit = { ...plain, hits: true as const };

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
    const { low, high, value } = summarise(plain, rows(values), { seed: 1 });
    expect(high - low).toBeCloseTo((2 * 1.96) / 20, 1);
    expect(low < value && value < high).toBe(true);
  });

  it("resample groups: ten copies of a row do not make it surer", () => {
    const values = Array.from({ length: 200 }, (_, i) => Math.floor(i / 10) % 2);
    const alone = summarise(plain, rows(values));
    const grouped = summarise(
      plain,
      rows(values, (i) => `${Math.floor(i / 10)}`),
    );
    expect(grouped.groups).toBe(20);
    expect(grouped.high - grouped.low).toBeGreaterThan(2.5 * (alone.high - alone.low));
  });

  it("pair: a small constant gain is certain although both sides scatter", () => {
    const stream = createRandom("pairs");
    const a = Array.from({ length: 50 }, () => 10 * stream.normal());
    const gain = compare(plain, rows(a.map((value) => value + 0.1)), rows(a));
    expect(gain.value).toBeCloseTo(0.1, 10);
    expect(separates(plain, gain)).toBe(true);
    expect(separates(plain, compare(plain, rows(a), rows(a)))).toBe(false);
    expect(() => compare(plain, rows([1]), rows([1, 2]))).toThrow("same cases");
  });

  it("are as many rows sure as groups are, where rows of a group say the same", () => {
    const hits = Array.from({ length: 200 }, (_, i) => Number(Math.floor(i / 10) % 4 !== 0));
    const group = (i: number) => `${Math.floor(i / 10)}`;
    const [copies, once] = [
      summarise(plain, rows(hits, group)),
      summarise(plain, rows(hits.filter((_, i) => i % 10 === 0))),
    ];
    expect([copies.interval, copies.groups]).toEqual(["wilson", 20]);
    expect(copies.low).toBeCloseTo(once.low, 1);
    expect(copies.high).toBeCloseTo(once.high, 1);
  });

  it("are Wilson's for hits: 81 of 100, 10 of 10, 0 of 20", () => {
    const of = (hits: number, all: number) =>
      summarise(hit, rows(Array.from({ length: all }, (_, i) => Number(i < hits))));
    expect(of(81, 100).low).toBeCloseTo(0.7222, 3);
    expect(of(81, 100).high).toBeCloseTo(0.8749, 3);
    expect([of(10, 10).low, of(10, 10).high].map((end) => end.toFixed(3))).toEqual(["0.722", "1.000"]);
    expect([of(0, 20).low, of(0, 20).high].map((end) => end.toFixed(3))).toEqual(["0.000", "0.161"]);
  });

  it("are none under five groups, and none where all values are one", () => {
    expect(summarise(plain, rows([0.1, 0.5, 0.9, 0.3]))).toMatchObject({ interval: "none", low: Number.NaN });
    expect(summarise(plain, rows([0.3, 0.3, 0.3, 0.3, 0.3]))).toMatchObject({
      interval: "constant",
      low: 0.3,
      high: 0.3,
    });
  });

  it("stay where the metric stays", () => {
    const metric = { ...plain, range: [0, 1] } as const;
    const { low, high } = summarise(metric, rows([0.01, 0.02, 0.9, 0.99, 0.98]));
    expect([low, high]).toEqual([0, 1]);
  });

  /** The share of data sets whose interval holds the truth, and on average how wide it is. */
  const coverage = (draw: (random: Random) => number, truth: number, n: number, sets: number, metric = plain) => {
    const random = createRandom("coverage", n, truth);
    let held = 0;
    for (let i = 0; i < sets; i++) {
      const values = Array.from({ length: n }, () => draw(random));
      const { low, high } = summarise(metric, rows(values), { seed: i, resamples: 400 });
      if (low <= truth && truth <= high) held++;
    }
    return held / sets;
  };

  it.each([5, 10, 20, 50, 100])("hold the truth in at least 93 of 100 data sets of %i", (n) => {
    // Wilson's coverage goes up and down with the share; its mean over shares is what is promised.
    const sets = n > 20 ? 400 : 600;
    const noise = 2 * Math.sqrt((0.95 * 0.05) / sets);
    const seen = {
      normal: coverage((random) => random.normal(), 0, n, sets),
      lognormal: coverage((random) => Math.exp(random.normal()), Math.exp(0.5), n, sets),
      share: mean(
        [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97].map((p) =>
          coverage((random) => Number(random.next() < p), p, n, 300, hit),
        ),
      ),
    };
    for (const share of Object.values(seen)) expect(share).toBeGreaterThan(0.93 - noise);
    expect(seen.share).toBeGreaterThan(0.93);
  });

  it("of pooled figures are bias corrected and accelerated: those of a skew mean lie to its right", () => {
    const metric = { ...plain, summarise: (all: readonly { value: number }[]) => mean(all.map(({ value }) => value)) };
    const random = createRandom("bca");
    const values = Array.from({ length: 40 }, () => Math.exp(random.normal()));
    const { value, low, high, interval } = summarise(metric, rows(values));
    expect(interval).toBe("bca");
    expect(high - value).toBeGreaterThan(1.2 * (value - low));
  });

  it("do not depend on anything but the seed", () => {
    const values = Array.from({ length: 12 }, (_, i) => Math.sin(i));
    expect(summarise(plain, rows(values), { seed: 4 })).toEqual(summarise(plain, rows(values), { seed: 4 }));
    expect(summarise(plain, rows(values), { seed: 4 })).not.toEqual(summarise(plain, rows(values), { seed: 5 }));
  });
});

describe("comparisons", () => {
  it("of hits are sure of a difference, although every case says the same", () => {
    const [all, none] = [rows(Array(25).fill(1)), rows(Array(25).fill(0))];
    const { value, low, high, p, effect } = compare(hit, all, none);
    expect([value, effect]).toEqual([1, Number.POSITIVE_INFINITY]);
    expect(low).toBeGreaterThan(0.7);
    expect(high).toBe(1);
    expect(p).toBeLessThan(0.001);
    const { low: from, high: to } = compare(hit, all, all);
    expect(from).toBeCloseTo(-to, 12);
    expect(to).toBeGreaterThan(0.05);
  });

  it("find nothing where there is nothing, in 95 of 100 data sets", () => {
    const random = createRandom("null");
    const found = Array.from({ length: 400 }, () => {
      const [a, b] = [0, 1].map(() => rows(Array.from({ length: 12 }, () => random.normal())));
      return compare(plain, a!, b!, { resamples: 50 }).p < 0.05;
    });
    expect(mean(found.map(Number))).toBeLessThan(0.05 + 0.022);
    expect(mean(found.map(Number))).toBeGreaterThan(0.02);
  });

  it("give the exact p of few groups: 2 of 2^n flips are as far, ties count", () => {
    expect(compare(plain, rows([1.5, 2, 3, 4.5, 5, 6]), rows([0, 0, 0, 0, 0, 0])).p).toBe(2 / 64);
    expect(permutationP(3, () => 1)).toBe(1);
  });

  it("are corrected as Holm does", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.5, 0.9])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  it("know the normal distribution and Student's", () => {
    expect(normalShare(1.959964)).toBeCloseTo(0.975, 6);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 5);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.0902, 3);
    expect([4, 9, 30].map((freedom) => studentQuantile(0.975, freedom).toFixed(2))).toEqual(["2.78", "2.26", "2.04"]);
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
