import { type Explainer, type Explanation, type Index, type Tensor, toFloat32 } from "vitrail/node";
import { problem } from "../problem.js";
import { ranked, type Scored } from "./prediction.js";
import { groupByShape, type Sample, stack } from "./sample.js";
import type { Wanted } from "./wanted.js";

/** What one map explains. */
export type Chosen = { kind: "class"; index: Index } | { kind: "contrast"; plus: number; minus: number };

/** One map: which class of which sample, and where in a run's batch it is. */
export interface Answer {
  sample: Sample;
  chosen: Chosen;
  /** Scores of all classes, in their order (for a token's class: those of that token). */
  scores: readonly Scored[];
  explanation: Explanation;
  row: number;
  milliseconds: number;
}

interface Job {
  sample: Sample;
  chosen: Chosen;
}

export interface WorkOptions {
  wanted: readonly Wanted[];
  batchSize: number;
  scoresOf(logits: Float32Array): Scored[];
}

/** Explains samples: predicts where a target depends on it, then runs every (sample, target) in as few batches as fit. */
export class Work {
  private readonly fixedBatch: number | undefined;
  private readonly limit: number;

  constructor(
    private readonly explainer: Explainer,
    private readonly options: WorkOptions,
  ) {
    const { findings, metadata } = explainer;
    const batch = findings.inputs.find(({ name }) => name === metadata.explains)?.dims[0];
    const together = findings.inputs.every(({ dims }) => dims[0] === batch);
    this.fixedBatch = typeof batch === "number" ? batch : undefined;
    this.limit = this.fixedBatch ?? (together ? options.batchSize : 1);
  }

  /** Answers in the order of the samples, and for each in the order of the targets. */
  async answer(samples: readonly Sample[]): Promise<Answer[]> {
    const jobs = await this.jobs(samples);
    const answers = new Map<Job, Answer>();
    for (const group of groupByShape(jobs, ({ sample }) => sample.feeds, this.limit)) {
      const started = performance.now();
      const explanation = await this.explain(group);
      const milliseconds = (performance.now() - started) / group.length;
      group.forEach((job, row) => {
        const lead = job.chosen.kind === "class" ? job.chosen.index.slice(0, -1) : [];
        const scores = this.options.scoresOf(lastAxis(explanation.logits, row, lead));
        answers.set(job, { ...job, scores, explanation, row, milliseconds });
      });
    }
    return jobs.map((job) => answers.get(job)!);
  }

  private explain(group: readonly Job[]): Promise<Explanation> {
    const rows = Math.max(group.length, this.fixedBatch ?? 0);
    const feeds = stack(
      group.map(({ sample }) => sample.feeds),
      rows,
    );
    const chosen = Array.from({ length: rows }, (_, row) => group[Math.min(row, group.length - 1)]!.chosen);
    const { mode } = this.explainer.metadata.target;
    if (mode === "predicted") return this.explainer.explain(feeds);
    if (mode === "weights") return this.explainer.explain(feeds, { target: this.weights(chosen) });
    return this.explainer.explain(feeds, { target: chosen.map((each) => (each as { index: Index }).index) });
  }

  /** +1 for the class that is explained, -1 for the one that it is held against. */
  private weights(chosen: readonly Chosen[]): Float32Array {
    const { findings, metadata } = this.explainer;
    const dims = findings.outputs.find(({ name }) => name === metadata.output)?.dims ?? [];
    const classes = dims.at(-1);
    if (dims.length !== 2 || typeof classes !== "number") {
      const why = `the explained output is [${dims.join(", ")}]`;
      throw problem("E091", { at: "--contrast", why, try: "a model whose output is [batch, classes]" });
    }
    const weights = new Float32Array(chosen.length * classes);
    chosen.forEach((each, row) => {
      weights[row * classes + (each.kind === "class" ? each.index[0]! : each.plus)] = 1;
      if (each.kind === "contrast") weights[row * classes + each.minus]! -= 1;
    });
    return weights;
  }

  private async jobs(samples: readonly Sample[]): Promise<Job[]> {
    const { wanted } = this.options;
    const top = Math.max(0, ...wanted.map((each) => (each.kind === "top" ? each.count : 0)));
    const ranking = top > 0 ? await this.rank(samples, top) : new Map<Sample, Index[]>();
    return samples.flatMap((sample) => {
      const chosen = wanted.flatMap((each): Chosen[] => {
        if (each.kind === "contrast") return [each];
        if (each.kind === "class") return [{ kind: "class", index: [each.index] }];
        return ranking
          .get(sample)!
          .slice(0, each.count)
          .map((index) => ({ kind: "class", index }));
      });
      return distinct(chosen).map((each) => ({ sample, chosen: each }));
    });
  }

  /** The highest classes of every sample; for outputs with more axes, the highest (position, class). */
  private async rank(samples: readonly Sample[], count: number): Promise<Map<Sample, Index[]>> {
    const ranking = new Map<Sample, Index[]>();
    const { output } = this.explainer.metadata;
    for (const group of groupByShape(samples, ({ feeds }) => feeds, this.limit)) {
      const feeds = stack(
        group.map((sample) => sample.feeds),
        Math.max(group.length, this.fixedBatch ?? 0),
      );
      const logits = (await this.explainer.predict(feeds))[output]!;
      group.forEach((sample, row) => {
        ranking.set(sample, topOf(logits, row, count));
      });
    }
    return ranking;
  }
}

function topOf(logits: Tensor, row: number, count: number): Index[] {
  // One number per sample counts as one class.
  const axes = logits.dims.length === 1 ? [1] : logits.dims.slice(1);
  const size = axes.reduce((product, dim) => product * dim, 1);
  const values = toFloat32(logits).subarray(row * size, (row + 1) * size);
  const scores = Array.from(values, (logit, index) => ({ index, logit, label: undefined, probability: undefined }));
  return ranked(scores)
    .slice(0, count)
    .map(({ index }) => {
      const position: number[] = [];
      for (const dim of axes.toReversed()) {
        position.unshift(index % dim);
        index = Math.floor(index / dim);
      }
      return position;
    });
}

/** The scores of one row's classes, at a position where the output has more axes. */
function lastAxis(logits: Tensor, row: number, lead: Index): Float32Array {
  const classes = logits.dims.length === 1 ? 1 : (logits.dims.at(-1) ?? 1);
  const position = [row, ...lead].reduce((sum, index, axis) => sum * logits.dims[axis]! + index, 0);
  return toFloat32(logits).slice(position * classes, (position + 1) * classes);
}

const keyOf = (chosen: Chosen): string =>
  chosen.kind === "class" ? chosen.index.join() : `${chosen.plus}-${chosen.minus}`;

const distinct = (all: readonly Chosen[]): Chosen[] => [...new Map(all.map((each) => [keyOf(each), each])).values()];
