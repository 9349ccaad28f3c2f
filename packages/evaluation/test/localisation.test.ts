import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  averagePrecision,
  bestIntersectionOverUnion,
  boxMask,
  caseContext,
  chooseMetric,
  createRandom,
  measure,
  pointingGame,
  precisionRecallArea,
  relevanceMass,
  relevanceRank,
  segmentationCounts,
  summariseRows,
  tokenF1,
  twoClassPrecision,
} from "../src/index.js";
import { caseOf, fixed, linearModel, vectorSubject } from "./toy.js";

const marks = (text: string) => Uint8Array.from(text, Number);
const maps = fc.array(fc.record({ s: fc.integer({ min: 0, max: 6 }), t: fc.boolean() }), {
  minLength: 1,
  maxLength: 12,
});

describe("localisation, by hand", () => {
  it("average precision: hits at ranks 1 and 3 of two", () => {
    expect(averagePrecision([0.9, 0.8, 0.7, 0.1], marks("1010"))).toBeCloseTo(0.5 * 1 + (0.5 * 2) / 3, 12);
  });

  it("AUPRC by trapezoids, from recall 0 and precision 1 on: never what average precision is, unless the map is perfect", () => {
    const expected = (0.5 * (1 + 1)) / 2 + (0.5 * (1 / 2 + 2 / 3)) / 2;
    expect(precisionRecallArea([0.9, 0.8, 0.7, 0.1], marks("1010"))).toBeCloseTo(expected, 12);
    expect(precisionRecallArea([3, 3, 1, 1], marks("1100"))).toBe(1);
    expect(precisionRecallArea([1, 1, 1, 1, 1], marks("01000"))).toBeCloseTo(0.6, 12);
    expect(precisionRecallArea([1, 2], marks("00"))).toBe(0);
  });

  it("average precision of an even map is the share of the truth", () => {
    expect(averagePrecision([1, 1, 1, 1, 1], marks("01000"))).toBeCloseTo(0.2, 12);
  });

  it("pointing game: hit, miss, shared maximum, tolerance", () => {
    expect(pointingGame([0, 3, 1, 0], marks("0100"), 2)).toBe(1);
    expect(pointingGame([5, 3, 1, 0], marks("0100"), 2)).toBe(0);
    expect(pointingGame([3, 3, 1, 0], marks("0100"), 2)).toBe(0.5);
    expect(pointingGame([5, 3, 1, 0], marks("0001"), 2, 1)).toBe(0);
    expect(pointingGame([5, 3, 1, 0], marks("0001"), 2, 1.5)).toBe(1);
    expect(pointingGame([5, 3, 1, 0], marks("0100"), 2, 1)).toBe(1);
  });

  it("mass counts positive relevance, rank the K highest units", () => {
    expect(relevanceMass([3, 1, -2, 0], marks("1010"))).toBe(0.75);
    expect(relevanceMass([3, 1, -2, 0], marks("1010"), true)).toBe(0.5);
    expect(relevanceRank([3, 1, -2, 0], marks("1010"), createRandom(1))).toBe(0.5);
  });

  it("best IoU: two of three found before the first miss", () => {
    expect(bestIntersectionOverUnion([4, 3, 2, 1], marks("1101"))).toBe(0.75);
    expect(bestIntersectionOverUnion([4, 3, 2, 1], marks("1001"))).toBe(0.5);
  });

  it("token F1 at gold length and at k", () => {
    expect(tokenF1([5, 4, 3, 2], marks("1010"), 2, createRandom(1))).toBe(0.5);
    expect(tokenF1([5, 4, 3, 2], marks("1010"), 3, createRandom(1))).toBe(0.8);
  });

  it("segmentation counts at the mean", () => {
    // scaled 1, .75, .25, 0; mean .5: found 1100, truth 1010
    expect(segmentationCounts([4, 3, 1, 0], marks("1010"))).toEqual({
      equal: 2,
      pixels: 4,
      objectBoth: 1,
      objectEither: 3,
      groundBoth: 1,
      groundEither: 3,
    });
  });

  it("two-class precision ranks both score channels together", () => {
    // scores 0 .25 .75 1 | 1 .75 .25 0 against 0101 | 1010
    expect(twoClassPrecision([4, 3, 1, 0], marks("1010"))).toBeCloseTo(
      averagePrecision([0, 0.25, 0.75, 1, 1, 0.75, 0.25, 0], marks("01011010")),
      12,
    );
  });

  it("boxes mark the pixels whose centre they hold", () => {
    expect([...boxMask([{ x: 1, y: 0, width: 2, height: 1 }], 2, 4)]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
    expect([...boxMask([{ x: 0.6, y: -3, width: 1.5, height: 9 }], 1, 4)]).toEqual([0, 1, 0, 0]);
  });
});

describe("localisation, against slow versions", () => {
  it("average precision is the sum over thresholds", () => {
    fc.assert(
      fc.property(maps, (map) => {
        const scores = map.map(({ s }) => s);
        const truth = map.map(({ t }) => Number(t));
        const positives = truth.filter(Boolean).length;
        let previous = 0;
        let slow = 0;
        for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
          const found = map.filter(({ s }) => s >= threshold);
          const recall = positives ? found.filter(({ t }) => t).length / positives : 0;
          slow += (recall - previous) * (found.filter(({ t }) => t).length / found.length);
          previous = recall;
        }
        expect(averagePrecision(scores, truth)).toBeCloseTo(slow, 10);
      }),
    );
  });

  it("best IoU is the maximum over thresholds", () => {
    fc.assert(
      fc.property(maps, (map) => {
        const slow = Math.max(
          ...map.map(({ s: threshold }) => {
            const both = map.filter(({ s, t }) => s >= threshold && t).length;
            return both / map.filter(({ s, t }) => s >= threshold || t).length;
          }),
        );
        const truth = Uint8Array.from(map, ({ t }) => Number(t));
        expect(
          bestIntersectionOverUnion(
            map.map(({ s }) => s),
            truth,
          ),
        ).toBeCloseTo(slow, 10);
      }),
    );
  });
});

describe("localisation in a data set", () => {
  const run = async (map: number[], truth: string, name: string) => {
    const subject = vectorSubject([1, 1, 1, 1], [2, 2]);
    const boxes = [{ x: 0, y: 0, width: 4, height: 1 }];
    const of = caseOf(subject, { truth: { mask: marks(truth), boxes } });
    const { values } = await measure(
      caseContext(of, { model: linearModel([[1, 1, 1, 1]]).model, seed: 0 }),
      fixed("map", map),
      [chooseMetric(name)],
    );
    return values[name]!;
  };

  it("counts pixels over all pictures before dividing", async () => {
    const rows = [
      await run([4, 3, 1, 0], "1100", "segmentation-miou"),
      await run([4, 3, 1, 0], "1010", "segmentation-miou"),
    ];
    expect(rows.map((row) => row.value)).toEqual([1, 1 / 3]);
    expect(summariseRows(chooseMetric("segmentation-miou").metric, rows)).toBeCloseTo(3 / 5, 12);
    expect(summariseRows(chooseMetric("segmentation-accuracy").metric, rows)).toBeCloseTo(6 / 8, 12);
  });

  it("energy in boxes is 1 for an even map", async () => {
    const subject = vectorSubject([1, 1, 1, 1], [1, 4]);
    const of = caseOf(subject, { truth: { boxes: [{ x: 0, y: 0, width: 1, height: 1 }] } });
    const bench = { model: linearModel([[1, 1, 1, 1]]).model, seed: 0 };
    const energy = async (map: number[]) =>
      (await measure(caseContext(of, bench), fixed("map", map), [chooseMetric("energy-in-boxes")])).values[
        "energy-in-boxes"
      ]!.value;
    expect(await energy([1, 1, 1, 1])).toBeCloseTo(1, 12);
    expect(await energy([3, 1, 0, 0])).toBeCloseTo(3, 12);
  });

  it("says what is missing instead of a figure", async () => {
    const of = caseOf(vectorSubject([1, 2]));
    const bench = { model: linearModel([[1, 1]]).model, seed: 0 };
    const { values, missing } = await measure(caseContext(of, bench), fixed("map", [1, 2]), [
      chooseMetric("auprc"),
      chooseMetric("weight-randomisation"),
    ]);
    expect(values).toEqual({});
    expect(missing).toEqual({ auprc: ["truth"], "weight-randomisation": ["randomised-model"] });
  });

  it("refuses a map of the wrong size or with holes", async () => {
    const context = caseContext(caseOf(vectorSubject([1, 2])), { model: linearModel([[1, 1]]).model, seed: 0 });
    await expect(measure(context, fixed("short", [1]), [])).rejects.toThrow("1 values for 2 units");
    await expect(measure(context, fixed("hole", [1, Number.NaN]), [])).rejects.toThrow("not finite");
  });
});
