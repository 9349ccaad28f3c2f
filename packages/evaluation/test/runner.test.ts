import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  bestMethods,
  type Case,
  chooseMetric,
  cliques,
  createRandom,
  criticalDifferenceChart,
  type EvaluationSummary,
  extremes,
  failedGates,
  type LineStore,
  meanRanks,
  memoryStore,
  openResults,
  pairsCsv,
  parseGate,
  performer,
  plan,
  type Results,
  run,
  sayFew,
  summariseResults,
  summaryCsv,
  summaryMarkdown,
  withBaselines,
} from "../src/index.js";
import { diskStore } from "../src/node/index.js";
import { caseOf, exact, fixed, linearModel, vectorSubject } from "./toy.js";

const settings = { model: "abc", seed: 1 };
const metrics = ["relevance-mass", "deletion:score=logit,steps=4", "weight-randomisation", "sensitivity-n"].map(
  chooseMetric,
);
const names = metrics.map(({ name }) => name);
const weights = [
  [4, 3, 2, 1, 0, 0],
  [0, 0, 1, 2, 3, 4],
];
const cases = Array.from({ length: 12 }, (_, i) => `case-${String(i).padStart(2, "0")}`);

async function load(id: string): Promise<Case<Float32Array>> {
  const random = createRandom(id);
  const subject = vectorSubject(
    Array.from({ length: 6 }, () => 1 + random.next()),
    [2, 3],
  );
  const target = random.int(2);
  const mask = Uint8Array.from(weights[target]!, (w) => Number(w > 2));
  return caseOf(subject, { id, target, label: target, truth: { mask }, group: id.slice(0, 6) });
}

function workshop() {
  const { model, counter } = linearModel(weights);
  const perform = performer({
    bench: { model, seed: 1, batchSize: 4 },
    metrics,
    load,
    explainer: async (method) => (method === "exact" ? exact(weights) : fixed(method, [1, 1, 1, 1, 1, 2])),
  });
  return { perform, counter };
}

const methods = ["exact", "constant"];
const summaryOf = (results: Results) => summariseResults(results.rows, { metrics, methods, resamples: 200, seed: 1 });

async function complete(store: LineStore, lanes = 1, perform = workshop().perform) {
  const results = await openResults(store, settings);
  const progress = await run({ cases, methods, metrics: names, results, perform, lanes });
  return { results, progress };
}

describe("runner", () => {
  it("measures every method and the baselines on every case", async () => {
    const { results, progress } = await complete(memoryStore());
    expect(progress).toMatchObject({ done: 12, total: 12, before: 0, failed: 0 });
    expect(results.rows.length).toBe(12 * withBaselines(methods).length);
    expect(results.rows[0]!.missing).toEqual({ "weight-randomisation": ["randomised-model"] });
  });

  it("gives the same summary whatever the number of lanes and the order of arrival", async () => {
    const slow = (seed: number) => {
      const random = createRandom(seed);
      const { perform } = workshop();
      return async (job: Parameters<typeof perform>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 5 * random.next()));
        return perform(job);
      };
    };
    const [one, many] = [memoryStore(), memoryStore()];
    const a = await complete(one, 1);
    const b = await complete(many, 5, slow(3));
    expect(many.text).not.toBe(one.text);
    expect(many.text.split("\n").sort()).toEqual(one.text.split("\n").sort());
    expect(summaryOf(b.results)).toEqual(summaryOf(a.results));
  });

  it("goes on after a kill at any byte: no work twice, no line lost, the same summary", async () => {
    const whole = memoryStore();
    const expected = summaryOf((await complete(whole)).results);
    const { text } = whole;
    const step = Math.ceil(text.length / 60);
    for (let cut = 0; cut <= text.length; cut += step) {
      const kept = text.slice(0, cut).split("\n").length - 1;
      const store = memoryStore(text.slice(0, cut));
      let rows = 0;
      const { perform } = workshop();
      const counting = async (job: Parameters<typeof perform>[0]) => {
        const result = await perform(job);
        rows += result.length;
        return result;
      };
      const { results } = await complete(store, 2, counting);
      expect(rows).toBe(12 * 5 - Math.max(0, kept - 1));
      expect(new Set(store.text.split("\n")).size).toBe(12 * 5 + 2);
      expect(summaryOf(results)).toEqual(expected);
    }
  });

  it("measures only what a second run adds", async () => {
    const store = memoryStore();
    await complete(store);
    const results = await openResults(store, settings);
    expect(plan({ cases, methods, metrics: names, results })).toEqual([]);
    const more = plan({ cases: cases.slice(0, 1), methods: [...methods, "new"], metrics: [...names, "gini"], results });
    expect(more).toEqual([
      {
        case: "case-00",
        todo: [
          { method: "exact", metrics: ["gini"] },
          { method: "constant", metrics: ["gini"] },
          { method: "new", metrics: [...names, "gini"] },
          ...["random", "centre", "area"].map((method) => ({ method, metrics: ["gini"] })),
        ],
      },
    ]);
  });

  it("refuses results of another seed", async () => {
    const store = memoryStore();
    await openResults(store, settings);
    await expect(openResults(store, { ...settings, seed: 2 })).rejects.toThrow("other settings (seed was 1, is 2)");
    await expect(openResults(memoryStore("{}\n"), settings)).rejects.toThrow("are not vitrail/evaluation@1");
  });

  it("writes failures down, goes on, and tries them again when asked", async () => {
    let broken = true;
    const { perform } = workshop();
    const failing = performer({
      bench: { model: linearModel(weights).model, seed: 1 },
      metrics,
      load: async (id) => {
        if (id === "case-03") throw new Error("no such picture");
        return load(id);
      },
      explainer: async (method) => fixed(method, method === "constant" && broken ? [1] : [1, 2, 3, 4, 5, 6]),
    });
    const store = memoryStore();
    const first = await openResults(store, settings);
    const progress = await run({ cases: cases.slice(2, 4), methods, metrics: names, results: first, perform: failing });
    expect(progress.failed).toBe(2);
    expect(summaryOf(first).failures).toEqual([
      { case: "case-02", method: "constant", error: "constant gave 1 values for 6 units" },
      ...["area", "centre", "constant", "exact", "random"].map((method) => ({
        case: "case-03",
        method,
        error: "no such picture",
      })),
    ]);
    broken = false;
    const second = await openResults(store, settings, { retry: true });
    await run({ cases: cases.slice(2, 4), methods, metrics: names, results: second, perform });
    expect(summaryOf(await openResults(store, settings)).failures).toEqual([]);
  });

  it("tells the pace and stops when asked", async () => {
    let now = 0;
    const seen: unknown[] = [];
    const signal = { aborted: false };
    const results = await openResults(memoryStore(), settings);
    await run({
      cases,
      methods,
      metrics: names,
      results,
      perform: workshop().perform,
      clock: () => (now += 1000),
      signal,
      onProgress: (progress) => {
        seen.push([progress.done, progress.secondsLeft]);
        signal.aborted = progress.done === 2;
      },
    });
    expect(seen).toEqual([
      [1, 11],
      [2, 10],
    ]);
  });

  it("costs one forward per altered input and one per case", async () => {
    const { perform, counter } = workshop();
    await perform({
      case: "case-00",
      todo: [
        { method: "exact", metrics: names },
        { method: "random", metrics: names },
      ],
    });
    const sets = 5; // sizes 1, 2, 4, 5 of six units: the shares 5 %, 10 % and 20 % all round to one unit
    expect(counter.inputs).toBe(1 + 2 * (4 + 20 * (sets - 1)));
  });
});

describe("results on disk", () => {
  it("cut a torn line off and go on behind it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vitrail-"));
    const path = join(folder, "deep", "results.jsonl");
    const store = diskStore(path);
    await store.append('{"a":"é"}');
    await store.append('{"b":2}');
    store.close();
    writeFileSync(path, readFileSync(path).subarray(0, -3));
    const again = diskStore(path);
    expect(await again.load()).toEqual(['{"a":"é"}']);
    await again.append('{"c":3}');
    expect(await again.load()).toEqual(['{"a":"é"}', '{"c":3}']);
    again.close();
    rmSync(folder, { recursive: true });
  });
});

describe("summary", () => {
  it("gives each figure an interval, its n, its groups and its distance to chance", async () => {
    const { results } = await complete(memoryStore());
    const summary = summaryOf(results);
    const best = summary.cells.find((cell) => cell.method === "exact" && cell.metric === "relevance-mass")!;
    expect(best).toMatchObject({ n: 12, groups: 2, baseline: false });
    expect(Number.isNaN(best.low)).toBe(true);
    expect(best.interval).toBe("none");
    expect(sayFew(summary)).toContain("2 pictures or texts are too few for intervals");
    // Two groups can change sides in four ways: no difference of them is certain.
    expect([best.versusRandom!.p, best.versusRandom!.better]).toEqual([0.5, false]);
    expect(best.versusRandom!.value).toBeCloseTo(
      best.value - summary.cells.find((cell) => cell.method === "random")!.value,
      12,
    );
    expect(
      summary.cells.find((cell) => cell.method === "exact" && cell.metric.startsWith("deletion"))!.curve!.x,
    ).toEqual([0, 2 / 6, 3 / 6, 5 / 6, 1]);
    expect(summary.missing).toEqual([{ metric: "weight-randomisation", needs: "randomised-model", count: 60 }]);
  });

  it("draws one mean curve of texts of different lengths, and none of curves that end at different places", () => {
    const curveOf = (...curves: { x: number[]; y: number[] }[]) => {
      const rows = curves.map((curve, i) => ({
        case: `${i}`,
        group: `${i}`,
        method: "one",
        values: { srg: { value: 0, curve } },
      }));
      return summariseResults(rows, { metrics: [chooseMetric("srg")], methods: ["one"], resamples: 10 }).cells[0]!
        .curve;
    };
    const [short, long] = [
      { x: [0, 0.5, 1], y: [2, 1, 0] },
      { x: [0, 0.25, 0.5, 0.75, 1], y: [2, 2, 1, 0, 0] },
    ];
    const { x, y } = curveOf(short, long)!;
    expect([x.length, x[0], x[20]]).toEqual([21, 0, 1]);
    for (const [i, height] of [
      [0, 2],
      [5, 1.75],
      [10, 1],
      [15, 0.25],
      [18, 0.1],
      [20, 0],
    ] as const)
      expect(y[i]).toBeCloseTo(height, 9);
    expect(curveOf(short, short)).toEqual(short);
    expect(curveOf(short, { x: [0, 0.5], y: [1, 1] })).toBeUndefined();
  });

  it("holds methods against chance and the best, every pair on request, and corrects over the table", () => {
    const random = createRandom("standing");
    const values: Record<string, () => number> = {
      good: () => 0.8 + 0.1 * random.next(),
      twin: () => 0.8 + 0.1 * random.next(),
      bad: () => 0.5 + 0.1 * random.next(),
      random: () => 0.1 * random.next(),
    };
    const rows = Object.entries(values).flatMap(([method, draw]) =>
      Array.from({ length: 20 }, (_, i) => ({
        case: `${i}`,
        group: `${i}`,
        method,
        values: { iou: { value: draw() }, gini: { value: draw() } },
      })),
    );
    const methods = ["good", "twin", "bad"];
    const summary = summariseResults(rows, { metrics: ["iou", "gini"].map(chooseMetric), methods, pairs: true });
    const cell = (method: string) => summary.cells.find((one) => one.metric === "iou" && one.method === method)!;
    const [best] = ["good", "twin"].sort((a, b) => cell(b).value - cell(a).value);
    const [other] = ["good", "twin"].filter((method) => method !== best);
    expect(methods.map((method) => cell(method).versusRandom!.better)).toEqual([true, true, true]);
    expect(cell(best!).versusBest).toBeUndefined();
    expect([cell(other!).versusBest!.tied, cell("bad").versusBest!.tied]).toEqual([true, false]);
    expect(cell("bad").versusBest!.best).toBe(best);
    expect(cell("bad").versusBest!.pHolm).toBeGreaterThan(cell("bad").versusBest!.p);
    expect(Math.abs(cell("bad").versusBest!.effect)).toBeGreaterThan(2);
    expect(summary.pairs!.map(({ metric, a, b }) => `${metric} ${a} ${b}`)).toEqual([
      ...["iou good twin", "iou good bad", "iou twin bad", "gini good twin", "gini good bad", "gini twin bad"],
    ]);
    expect(pairsCsv(summary).trim().split("\n").length).toBe(7);
    expect(bestMethods(summary, "iou", "up")).toEqual([best]);
    expect(sayFew(summary)).toBeUndefined();
    const equal = rows.map((row) =>
      row.method === "twin"
        ? { ...rows.find(({ method, case: id }) => method === "good" && id === row.case)!, method: "twin" }
        : row,
    );
    const ties = summariseResults(equal, { metrics: [chooseMetric("iou")], methods });
    expect(bestMethods(ties, "iou", "up")).toEqual(["good", "twin"]);
    expect(summaryMarkdown(ties)).toMatch(/\| twin \| \*\*0/);
    expect(summaryMarkdown(summary)).toContain("] = |");
  });

  it("ranks methods over several evaluations, and joins those that are not told apart", () => {
    const evaluation = (figures: Record<string, number>, direction: "up" | "down" = "up") =>
      ({
        metrics: [{ name: "iou", direction, group: "localisation" }],
        methods: Object.keys(figures),
        cells: Object.entries(figures).map(([method, value]) => ({
          metric: "iou",
          method,
          value,
          baseline: method === "random",
        })),
      }) as unknown as EvaluationSummary;
    const named = [
      { name: "a", summary: evaluation({ one: 0.9, two: 0.8, three: 0.1, random: 1 }) },
      { name: "b", summary: evaluation({ two: 0.2, one: 0.1, three: 0.5 }, "down") },
      { name: "c", summary: evaluation({ one: 0.4, two: 0.4, three: Number.NaN, four: 1 }) },
    ];
    const found = meanRanks(named);
    expect(found.methods).toEqual([
      { method: "one", rank: 1 },
      { method: "two", rank: 2 },
      { method: "three", rank: 3 },
    ]);
    expect([found.over, found.leftOut]).toEqual([["a, iou", "b, iou"], ["c, iou: not measured for every method"]]);
    expect(meanRanks(named, ["gini"]).over).toEqual([]);
    const ranked = { methods: [1, 2, 2.5, 4].map((rank) => ({ method: `m${rank}`, rank })), criticalDifference: 1.5 };
    expect(cliques(ranked)).toEqual([
      [0, 2],
      [2, 3],
    ]);
    const chart = criticalDifferenceChart({ ...found, ...ranked });
    expect(chart.match(/stroke-width="4"/g)!.length).toBe(2);
    expect(chart).toContain("m2.5 (2.50)");
  });

  it("warns where a metric cannot tell any method from chance", async () => {
    const { results } = await complete(memoryStore());
    const rows = results.rows.filter(({ method }) => method !== "exact");
    const summary = summariseResults(rows, { metrics, methods: ["constant"], resamples: 200 });
    expect(summary.metrics.map(({ warning }) => warning)).toContain(
      "cannot separate the method from a random map on these 12 cases",
    );
  });

  it("writes CSV and Markdown", async () => {
    const summary = summaryOf((await complete(memoryStore())).results);
    const lines = summaryCsv(summary).trim().split("\n");
    expect(lines.length).toBe(1 + summary.cells.length);
    expect(lines[0]).toMatch(/^metric,direction,method,baseline,value,low,high,n/);
    const table = summaryMarkdown(summary).split("\n");
    expect(table[0]).toContain("relevance-mass ↑ | deletion:score=logit,steps=4 ↓");
    expect(table[2]).toMatch(/^\| exact \| \*\*0\.\d+\*\* \|/);
  });

  it("finds the best and the worst cases, none twice", async () => {
    const { results } = await complete(memoryStore());
    const found = extremes(results.rows, { name: "relevance-mass", direction: "up" }, "exact", 3);
    expect(found.map(({ kind }) => kind)).toEqual(["best", "best", "best", "worst", "worst", "worst"]);
    expect(new Set(found.map((one) => one.case)).size).toBe(6);
    expect(found[0]!.value).toBeGreaterThanOrEqual(found[3]!.value);
  });
});

describe("gates", () => {
  it("read metric, options, method, operator and number", () => {
    expect(parseGate("pointing-game<0.6")).toEqual({
      text: "pointing-game<0.6",
      metric: "pointing-game",
      operator: "<",
      threshold: 0.6,
    });
    expect(parseGate(" deletion:score=logit,fill=blur @ attention-rollout >= -1.5e1 ")).toMatchObject({
      metric: "deletion:score=logit,fill=blur",
      method: "attention-rollout",
      operator: ">=",
      threshold: -15,
    });
    expect(parseGate("pointing-game.low<0.6")).toMatchObject({ metric: "pointing-game", bound: "low", threshold: 0.6 });
    const before = parseGate("srg:fill=blur.high@lrp<before - 0.02");
    expect(before).toMatchObject({ metric: "srg:fill=blur", bound: "high", method: "lrp", threshold: -0.02 });
    expect([before.fromBefore, parseGate("gini>before").threshold]).toEqual([true, 0]);
    for (const wrong of ["pointing-game", "pointing-game=0.6", "<0.6", "pointing-game<x", "pointing-game<0.6<1"]) {
      expect(() => parseGate(wrong)).toThrow("cannot read");
    }
    expect(() => parseGate("pointing<0.6")).toThrow('no metric "pointing"');
  });

  it("judge ends of intervals, and figures against those of a former summary", () => {
    const cell = { metric: "gini", method: "lrp", baseline: false, value: 0.5, low: 0.4, high: 0.6, n: 9 };
    const summary = { cells: [cell] } as unknown as EvaluationSummary;
    const former = (value: number, method = "lrp") =>
      ({ cells: [{ ...cell, value, method }] }) as unknown as EvaluationSummary;
    const failed = (text: string, before?: EvaluationSummary) => failedGates(summary, [parseGate(text)], before);
    expect(failed("gini<0.45")).toEqual([]);
    expect(failed("gini.low<0.45")).toEqual(["gini.low<0.45: lrp has 0.400 (n = 9)"]);
    expect(failed("gini.high>0.55").length).toBe(1);
    expect(failed("gini<before", former(0.5))).toEqual([]);
    expect(failed("gini<before", former(0.52))).toEqual(["gini<before: lrp has 0.500, before 0.520 (n = 9)"]);
    expect(failed("gini<before-0.05", former(0.52))).toEqual([]);
    expect(failed("gini<before", former(0.1, "other"))).toEqual(["gini<before: lrp is not in the former summary"]);
    const few = { cells: [{ ...cell, low: Number.NaN }] } as unknown as EvaluationSummary;
    expect(failedGates(few, [parseGate("gini.low<0.1")]).length).toBe(1);
  });

  it("judge every method but the baselines", async () => {
    const summary = summaryOf((await complete(memoryStore())).results);
    const failed = (text: string) => failedGates(summary, [parseGate(text)]);
    expect(failed("relevance-mass<0.01")).toEqual([]);
    expect(failed("relevance-mass>0.01").length).toBe(2);
    expect(failed("relevance-mass@exact<0.9")[0]).toMatch(/^relevance-mass@exact<0\.9: exact has 0\.\d+ \(n = 12\)$/);
    expect(failed("relevance-mass@random>0.01").length).toBe(1);
    expect(failed("gini<0")).toEqual(["gini<0: nothing was measured"]);
    expect(failed("relevance-mass@nobody<0")).toEqual(["relevance-mass@nobody<0: nothing was measured"]);
  });
});
