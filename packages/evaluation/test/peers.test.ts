/**
 * Metrics and statistics against other libraries on the same maps: `reference/evaluation_peers.py` wrote what they say into test/goldens/evaluation/peers.json.
 * The table in docs/evaluation.md is made of this test: `VITRAIL_WRITE=1 npx vitest run --project unit packages/evaluation/test/peers`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  averagePrecision,
  bestIntersectionOverUnion,
  caseContext,
  chiAbove,
  chooseMetric,
  compare,
  createRandom,
  type Explainer,
  entropy,
  gini,
  histogramEntropy,
  infidelityOf,
  type Measurement,
  type Model,
  measure,
  metrics,
  parseRunLengths,
  pearson,
  pointingGame,
  polygonMask,
  precisionRecallArea,
  rankRows,
  relevanceMass,
  relevanceRank,
  riseBlur,
  rocArea,
  runLengthMask,
  segmentationCounts,
  spearman,
  structuralSimilarity,
  studentizedRange,
  studentQuantile,
  summarise,
  summariseRows,
  tokenF1,
  twoClassPrecision,
} from "../src/index.js";
import { caseOf, vectorSubject } from "./toy.js";

const peers = JSON.parse(readFileSync(new URL("../../../test/goldens/evaluation/peers.json", import.meta.url), "utf8"));

/** A line of the table: what was compared with whom, and how near every value must be. */
interface Line {
  readonly what: string;
  readonly peer: string;
  readonly within: number;
  readonly pairs: readonly (readonly [own: number, peer: number])[];
}

const side = 12;
const random = () => createRandom("peers");
interface MapCase {
  readonly scores: number[][];
  readonly truth: number[][];
  readonly other: number[][];
  readonly values: Record<string, number | null>;
}

/** Functions of maps alone. */
const ofMaps: Record<
  string,
  readonly [peer: string, own: (scores: Float32Array, truth: Uint8Array, other: Float32Array) => number]
> = {
  "average-precision": ["scikit-learn", averagePrecision],
  auprc: ["scikit-learn, as ERASER's code calls it", precisionRecallArea],
  "roc-auc": ["scikit-learn", rocArea],
  "roc-auc (Quantus)": ["Quantus", rocArea],
  "pointing-game": ["Quantus", (scores, truth) => Math.ceil(pointingGame(scores, truth, side))],
  "relevance-mass": ["Quantus, on the positive part", (scores, truth) => relevanceMass(scores, truth)],
  "relevance-mass:sign=signed": ["Quantus", (scores, truth) => relevanceMass(scores, truth, true)],
  "relevance-rank": ["Quantus", (scores, truth) => relevanceRank(scores, truth, random())],
  gini: ["Quantus (Sparseness)", gini],
  entropy: ["Quantus (Complexity), over ln n", entropy],
  "segmentation-accuracy": [
    "scikit-learn",
    (scores, truth) => summariseRows(chooseMetric("segmentation-accuracy").metric, [counts(scores, truth)]),
  ],
  "segmentation-miou": [
    "scikit-learn",
    (scores, truth) => summariseRows(chooseMetric("segmentation-miou").metric, [counts(scores, truth)]),
  ],
  "segmentation-map": ["scikit-learn", twoClassPrecision],
  iou: ["scikit-learn, every threshold", bestIntersectionOverUnion],
  "token-f1": [
    "scikit-learn",
    (scores, truth) =>
      tokenF1(
        scores,
        truth,
        truth.reduce((total, mark) => total + mark, 0),
        random(),
      ),
  ],
  spearman: ["SciPy", (scores, _, other) => spearman(scores, other)],
  pearson: ["SciPy", (scores, _, other) => pearson(scores, other)],
  ssim: ["scikit-image", (scores, _, other) => structuralSimilarity(scores, other, side)],
  "efficient-mprt (entropy)": ["NumPy and SciPy", (scores) => histogramEntropy(scores, 20)],
};
const counts = (scores: Float32Array, truth: Uint8Array): Measurement => ({
  value: 0,
  parts: segmentationCounts(scores, truth),
});
/** Compared without ties: these are broken at random here and by place elsewhere, or by the last bit of a float. */
const tied = new Set(["relevance-rank", "pointing-game", "segmentation-map", "efficient-mprt (entropy)"]);

function mapLines(): Line[] {
  return Object.entries(ofMaps).map(([what, [peer, own]]) => ({
    what,
    peer,
    within: 1e-5,
    pairs: (peers.maps as MapCase[]).flatMap(({ scores, truth, other, values }): [number, number][] => {
      const flat = Float32Array.from(scores.flat());
      if (values[what] === null || (tied.has(what) && new Set(flat).size < flat.length)) return [];
      return [[own(flat, Uint8Array.from(truth.flat()), Float32Array.from(other.flat())), values[what]!]];
    }),
  }));
}

/** f(x) = W tanh(x). */
const model: Model<Float32Array> = {
  predict: async (batch) =>
    batch.map((x) =>
      Float32Array.from(peers.weights as number[][], (row) =>
        row.reduce((total, w, i) => total + w * Math.tanh(x[i]!), 0),
      ),
    ),
};

interface AskedCase {
  readonly x: number[];
  readonly relevance: number[];
  readonly noisy: number[];
  readonly after: number[];
  readonly sets: number[][];
  readonly values: Record<string, number>;
  readonly [metric: string]: unknown;
}

async function modelLines(): Promise<Line[]> {
  const cases = peers.faithfulness as AskedCase[];
  const lines = new Map<string, { peer: string; within: number; pairs: [number, number][] }>();
  const put = (what: string, peer: string, within: number, own: number, theirs: number) => {
    const line = lines.get(what) ?? { peer, within, pairs: [] };
    line.pairs.push([own, theirs]);
    lines.set(what, line);
  };
  for (const one of cases) {
    const subject = {
      ...vectorSubject(one.x),
      values: (x: Float32Array) => x,
      noisy: () => Float32Array.from(one.noisy),
    };
    const explainer: Explainer<Float32Array> = {
      id: "golden",
      explain: async (x) => Float32Array.from(x[0] === subject.input[0] ? one.relevance : one.after),
    };
    const stability = ["max-sensitivity", "relative-input-stability", "relative-output-stability"];
    const chosen = [...Object.keys(one.values), ...stability.map((id) => `${id}:draws=1`)].map(chooseMetric);
    const { values, missing } = await measure(caseContext(caseOf(subject), { model, seed: 1 }), explainer, chosen);
    expect(missing).toEqual({});
    for (const [what, theirs] of Object.entries(one.values)) {
      const peer = /deletion|insertion|srg|abpc/.test(what)
        ? "NumPy, areas by scikit-learn"
        : "NumPy, from the definition";
      put(what, peer, 1e-4, values[chooseMetric(what).name]!.value, theirs);
    }
    const names = {
      "max-sensitivity": "NumPy, from the definition",
      "relative-input-stability": "Quantus",
      "relative-output-stability": "Quantus",
    };
    for (const [id, peer] of Object.entries(names)) {
      const [own, theirs] = [values[`${id}:draws=1`]!.value, one[id] as number];
      put(id, peer, 1e-3, own / theirs, 1);
    }
    const said = one.sets.map((set) => set.reduce((total, mark, i) => total + mark * one.relevance[i]!, 0));
    const answers = await model.predict([
      subject.input,
      ...one.sets.map((set) => subject.input.map((v, i) => v * (1 - set[i]!))),
    ]);
    const lost = answers.slice(1).map((answer) => answers[0]![0]! - answer[0]!);
    put("infidelity", "Captum", 1e-5, infidelityOf(said, lost, false), one.infidelity as number);
    put(
      "infidelity:scale=best",
      "Captum (normalize)",
      1e-5,
      infidelityOf(said, lost, true),
      one["infidelity:scale=best"] as number,
    );
  }
  return Array.from(lines, ([what, line]) => ({ what, ...line }));
}

const rows = (values: readonly number[]) => values.map((value, i) => ({ group: `${i}`, measurement: { value } }));
const plain = { ...chooseMetric("time").metric, direction: "up" as const };

function statisticLines(): Line[] {
  const { bca, wilson, student, permutation, friedman } = peers.statistics;
  const mean = (all: readonly Measurement[]) => all.reduce((total, { value }) => total + value, 0) / all.length;
  const own = summarise({ ...plain, summarise: mean }, rows(bca.values), { resamples: 20_000 });
  const scale = bca.high - bca.low;
  const ranked = rankRows(
    (friedman.figures as number[][]).map((row) => row.map((value) => -value)),
    4,
  );
  return [
    {
      what: "Wilson's interval",
      peer: "SciPy",
      within: 1e-5,
      pairs: (wilson as { hits: number; n: number; low: number; high: number }[]).flatMap(({ hits, n, low, high }) => {
        const found = summarise({ ...plain, hits: true }, rows(Array.from({ length: n }, (_, i) => Number(i < hits))));
        return [
          [found.low, low],
          [found.high, high],
        ] as const;
      }),
    },
    {
      what: "BCa interval (in its own width)",
      peer: "SciPy",
      within: 0.03,
      pairs: [
        [(own.low - bca.low) / scale, 0],
        [(own.high - bca.high) / scale, 0],
      ],
    },
    {
      what: "Student's quantiles",
      peer: "SciPy",
      within: 0.005,
      pairs: (student as { freedom: number; share: number; value: number }[]).map(({ freedom, share, value }) => [
        studentQuantile(share, freedom),
        value,
      ]),
    },
    {
      what: "permutation test (exact)",
      peer: "SciPy",
      within: 1e-12,
      pairs: [[compare(plain, rows(permutation.a), rows(permutation.b)).p, permutation.p]],
    },
    {
      what: "mean ranks, Friedman's test, critical difference",
      peer: "SciPy",
      within: 1e-4,
      pairs: [
        ...ranked.ranks.map((rank, i) => [rank, friedman.ranks[i]] as const),
        [ranked.friedman.statistic, friedman.chi],
        [ranked.friedman.p, friedman.p],
        [ranked.criticalDifference, friedman.critical],
      ],
    },
  ];
}

function dataLines(): Line[] {
  const marks = peers.coco as { polygon: number[][]; counts: string; rows: string[] }[];
  const flat = (rows: readonly string[]) => [...rows.join("")].map(Number);
  const encoded = marks.flatMap(({ counts, rows }) => {
    const { data } = runLengthMask(parseRunLengths(counts), 20, 18);
    return flat(rows).map((mark, i) => [data[i]!, mark] as const);
  });
  const outlines = marks.map(({ polygon, rows }) => {
    const { data } = polygonMask(polygon, 20, 18);
    const truth = flat(rows);
    const both = truth.filter((mark, i) => mark && data[i]).length;
    const either = truth.filter((mark, i) => mark || data[i]).length;
    return [both / either, 1] as const;
  });
  const point = new Float32Array(121);
  point[60] = 1;
  const kernel = (peers["rise kernel"] as number[][]).flat();
  return [
    { what: "COCO run lengths", peer: "pycocotools", within: 1e-12, pairs: encoded },
    {
      what: "COCO polygons (IoU of the masks)",
      peer: "pycocotools, which counts pixels on the edge as well",
      within: 0.15,
      pairs: outlines,
    },
    {
      what: "fill `rise-blur`",
      peer: "SciPy, as RISE's code calls it",
      within: 1e-6,
      pairs: [...riseBlur(point, 11, 11)].map((value, i) => [value, kernel[i]!] as const),
    },
  ];
}

/** Metrics that no peer has: each has a second, plain implementation in a test. */
const plainTests: Readonly<Record<string, string>> = {
  "positive-perturbation": "faithfulness.test.ts",
  "negative-perturbation": "faithfulness.test.ts",
  "sensitivity-n": "faithfulness.test.ts",
  "infidelity-normalised": "faithfulness.test.ts",
  road: "impute.test.ts (the imputation), faithfulness.test.ts",
  "irof-patches": "metrics.test.ts",
  arcc: "metrics.test.ts",
  "part-deletion": "metrics.test.ts",
  "part-sign": "metrics.test.ts",
  "energy-in-boxes": "localisation.test.ts",
  "token-f1-at": "localisation.test.ts",
  "iou-f1": "metrics.test.ts",
  "weight-randomisation": "sanity.test.ts",
  "efficient-mprt": "metrics.test.ts",
  "smooth-mprt": "metrics.test.ts",
  "random-logit": "sanity.test.ts",
  "class-sensitivity": "sanity.test.ts",
  "noise-agreement": "sanity.test.ts",
  conservation: "sanity.test.ts",
  "same-decision": "second-model.test.ts",
  "probability-change": "second-model.test.ts",
  "map-agreement": "second-model.test.ts",
  "top-overlap": "second-model.test.ts",
};
/** Read from a clock or an operating system. */
const measured = new Set(["time", "memory"]);

const said = (value: number) => (value < 0.001 ? value.toExponential(0) : `${value}`);

describe("peers", async () => {
  const lines = [...mapLines(), ...(await modelLines()), ...statisticLines(), ...dataLines()];

  test.each(lines)("$what: as $peer", ({ pairs, within }) => {
    expect(pairs.length).toBeGreaterThan(0);
    for (const [own, theirs] of pairs) expect(Math.abs(own - theirs)).toBeLessThanOrEqual(within);
  });

  test("every metric is held against something", () => {
    const held = new Set([...lines.map(({ what }) => what.split(/[ :]/)[0]!), ...Object.keys(plainTests), ...measured]);
    expect(metrics.map(({ id }) => id).filter((id) => !held.has(id))).toEqual([]);
  });

  test("chi-squared tails are those of tables", () => {
    for (const [value, freedom, share] of [
      [3.841, 1, 0.05],
      [5.991, 2, 0.05],
      [7.815, 3, 0.05],
      [18.307, 10, 0.05],
    ] as const)
      expect(chiAbove(value, freedom)).toBeCloseTo(share, 4);
    expect(studentizedRange(2)).toBeCloseTo(1.96, 2);
    expect(studentizedRange(10)).toBeCloseTo(3.164, 2);
  });

  test("docs/evaluation.md has the table of this test", () => {
    const page = new URL("../../../docs/evaluation.md", import.meta.url);
    const table = [
      "| what | held against | values | within |",
      "|---|---|--:|--:|",
      ...lines.map(({ what, peer, pairs, within }) => `| ${what} | ${peer} | ${pairs.length} | ${said(within)} |`),
      ...Object.entries(plainTests).map(([id, test]) => `| ${id} | a second, plain implementation: ${test} | | |`),
      "",
      `Peers: ${(peers.versions as string[]).join(", ")}.`,
    ].join("\n");
    const text = readFileSync(page, "utf8");
    const [before = "", rest = ""] = text.split("<!-- generated:agreement -->\n");
    const [, after = ""] = rest.split("\n<!-- /generated:agreement -->");
    const whole = `${before}<!-- generated:agreement -->\n${table}\n<!-- /generated:agreement -->${after}`;
    if (process.env.VITRAIL_WRITE) writeFileSync(page, whole);
    else expect(text).toBe(whole);
  });
});
