import type { AxisName, Explainer, Explanation, Feeds, Index, Outputs } from "vitrail/node";
import type { PromptWords } from "../pair/work.js";
import { contrastOf } from "./contrast.js";
import { axesOf, classesAt, mean, rowOf, topOf } from "./logits.js";
import { asScores, classOfIndex, type OutputView, placesOf, scored } from "./output.js";
import { cellOf } from "./place.js";
import type { Scored } from "./prediction.js";
import { groupByShape, padded, type Sample, stack } from "./sample.js";
import { isPlace, type Wanted } from "./wanted.js";

/** Where on the output a target is: the axes that are no classes, with their numbers. */
export type Places = readonly (readonly [AxisName, number])[];

/** What one map explains. */
export type Chosen =
  | { kind: "class"; index: Index; class: number; places: Places }
  | { kind: "contrast"; plus: number; minus: number; index: Index; against: Index; places: Places }
  | { kind: "similar"; to: Sample; similarity: number; vector: string }
  | AtTokenChosen;

/** Class `index` at a token of the whole text (of question answering the token itself). */
export interface AtTokenChosen {
  kind: "token";
  token: number;
  index: number;
  /** The class that it is held against. */
  minus?: number | undefined;
  /** In words: what is explained, and what the scores are about. */
  title: string;
  where: string;
  note?: string;
}

/** The one class that is explained, if it is one. */
export function classIn(chosen: Chosen): number | undefined {
  if (chosen.kind === "class") return chosen.class;
  return chosen.kind === "token" && chosen.minus === undefined ? chosen.index : undefined;
}

/** Where in a run's batch a part of a sample was explained. */
export interface Part {
  explanation: Explanation;
  row: number;
}

/** One map: which class of which sample. A long text has several parts, everything else one. */
export interface Answer extends Part {
  sample: Sample;
  chosen: Chosen;
  /** Scores of all classes, in their order (for a token's class: those of that token); the mean over the parts. */
  scores: readonly Scored[];
  parts: readonly Part[];
  /** Where a picture was compared with texts: the words of the prompt, or of both that are held against each other. */
  words?: readonly PromptWords[];
  warnings?: readonly string[];
  milliseconds: number;
}

/** Turns samples into answers, those of one page together. */
export interface Answerer {
  answer(samples: readonly Sample[]): Promise<Answer[][]>;
}

interface Job {
  sample: Sample;
  chosen: ClassOrContrast;
  /** What a run is asked for: of a contrast the class that is explained. */
  index: Index;
  /** The class that it is held against. */
  against?: Job;
  parts: Part[];
  milliseconds: number;
}

export type ClassOrContrast = Extract<Chosen, { kind: "class" | "contrast" }>;

/** One row of a run, with what is explained of it: several targets where the model takes them at once, else one. */
interface Task {
  jobs: readonly Job[];
  feeds: Feeds;
  index: number;
}

/** Targets of one run; each needs the memory of a backward pass of its own. */
const MOST_AT_ONCE = 4;

export interface WorkOptions {
  wanted: readonly Wanted[];
  batchSize: number;
  /** How the explained output is read. */
  view: OutputView;
  /** For methods of many runs: runs done and to be done for the batch that is explained. */
  onProgress?(done: number, total: number): void;
}

/** Explains samples: predicts where a target depends on it, then runs every (sample, target) in as few batches as fit. */
export class Work implements Answerer {
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

  /** In the order of the samples, and for each in the order of the targets. */
  async answer(samples: readonly Sample[]): Promise<Answer[][]> {
    const jobs = await this.jobs(samples);
    const all = jobs.flatMap((job) => (job.against ? [job, job.against] : [job]));
    const tasks = this.together(all).flatMap((own) =>
      own[0]!.sample.parts.map((feeds, index): Task => ({ jobs: own, feeds, index })),
    );
    for (const group of groupByShape(
      tasks,
      ({ feeds }) => feeds,
      this.limit,
      ({ jobs }) => jobs[0]!.sample,
    )) {
      const started = performance.now();
      const explanations = await this.explain(group);
      const milliseconds = (performance.now() - started) / group.reduce((sum, task) => sum + task.jobs.length, 0);
      for (const [row, task] of group.entries())
        for (const [at, job] of task.jobs.entries()) {
          const explanation = explanations[at]!;
          job.parts[task.index] = { explanation, row };
          if (this.mode === "predicted") job.chosen = chosenAt(explanation.targets![row]!, this.options.view);
          job.milliseconds += milliseconds;
        }
    }
    const answers = jobs.map((job) => this.finish(job));
    return samples.map((sample) => answers.filter((answer) => answer.sample === sample));
  }

  /** The first part of one of its answers once more, alone: for measuring. */
  async explainAgain({ sample, chosen }: Answer): Promise<Explanation> {
    const job = jobOf(sample, chosen as ClassOrContrast);
    const [explanation] = await this.explain([{ jobs: [job], feeds: sample.parts[0]!, index: 0 }]);
    return explanation!;
  }

  /** The prediction for the same. */
  predictAgain({ sample }: Answer): Promise<Outputs> {
    return this.explainer.predict(this.batch([sample.parts[0]!]));
  }

  private finish({ sample, chosen, parts: own, milliseconds, against }: Job): Answer {
    const parts = against ? own.map((part, index) => contrastOf(part, against.parts[index]!)) : own;
    const scores = this.scoresOf(chosen, parts);
    const { notes: warnings } = this.options.view;
    const spent = milliseconds + (against?.milliseconds ?? 0);
    return { sample, chosen, scores, parts, ...parts[0]!, warnings, milliseconds: spent };
  }

  private scoresOf({ index }: ClassOrContrast, parts: readonly Part[]): Scored[] {
    const { view } = this.options;
    const logits = parts.map(({ explanation, row }) => {
      const values = rowOf(asScores(view, explanation.logits), row);
      return classesAt(values, axesOf(explanation.logits), view.classAt, index);
    });
    return scored(view, mean(logits));
  }

  /** Jobs that one row of a run can do: those of one sample, where the model takes several targets. */
  private together(jobs: readonly Job[]): Job[][] {
    if (!this.explainer.metadata.target.several) return jobs.map((job) => [job]);
    const samples = [...new Set(jobs.map(({ sample }) => sample))];
    return samples.flatMap((sample) => {
      const own = jobs.filter((job) => job.sample === sample);
      const runs = Math.ceil(own.length / MOST_AT_ONCE);
      return Array.from({ length: runs }, (_, i) => own.slice(i * MOST_AT_ONCE, (i + 1) * MOST_AT_ONCE));
    });
  }

  /** One explanation per target; rows with fewer targets repeat their last one. */
  private async explain(group: readonly Task[]): Promise<Explanation[]> {
    const feeds = this.batch(padded(group.map(({ jobs, feeds }) => ({ sample: jobs[0]!.sample, feeds }))));
    const { onProgress } = this.options;
    if (this.mode === "predicted") return [await this.explainer.explain(feeds, { onProgress })];
    const rows = Math.max(group.length, this.fixedBatch ?? 0);
    const count = Math.max(...group.map(({ jobs }) => jobs.length));
    const targets = Array.from({ length: count }, (_, at) =>
      Array.from({ length: rows }, (_, row) => {
        const { jobs } = group[Math.min(row, group.length - 1)]!;
        return jobs[Math.min(at, jobs.length - 1)]!.index;
      }),
    );
    return this.explainer.explainEach(feeds, targets, { onProgress });
  }

  private get mode() {
    return this.explainer.metadata.target.mode;
  }

  private batch(feeds: readonly Feeds[]): Feeds {
    return stack(feeds, Math.max(feeds.length, this.fixedBatch ?? 0));
  }

  private async jobs(samples: readonly Sample[]): Promise<Job[]> {
    const { wanted, view } = this.options;
    // The model itself finds its top class: nothing is asked of it before.
    const unknown: ClassOrContrast = { kind: "class", index: [], class: 0, places: [] };
    if (this.mode === "predicted") return samples.map((sample) => jobOf(sample, unknown));
    const open = wanted.some((each) => each.kind === "top" || (view.axes.length > 1 && !isPlace(each.at)));
    const said = open ? await this.said(samples) : new Map<Sample, Said>();
    return samples.flatMap((sample) =>
      distinct(wanted.flatMap((each) => chosenFrom(each, view, sample, said.get(sample)))).map((chosen) =>
        jobOf(sample, chosen),
      ),
    );
  }

  /** The scores of every sample, the mean over its parts. */
  private async said(samples: readonly Sample[]): Promise<Map<Sample, Said>> {
    const { view } = this.options;
    const rows = new Map<Sample, Float32Array[]>(samples.map((sample) => [sample, []]));
    const tasks = samples.flatMap((sample) => sample.parts.map((feeds) => ({ sample, feeds })));
    let axes: readonly number[] = [];
    for (const group of groupByShape(
      tasks,
      ({ feeds }) => feeds,
      this.limit,
      ({ sample }) => sample,
    )) {
      const outputs = await this.explainer.predict(this.batch(padded(group)));
      const explained = asScores(view, outputs[this.explainer.metadata.output]!);
      axes = axesOf(explained);
      for (const [row, { sample }] of group.entries()) rows.get(sample)!.push(rowOf(explained, row));
    }
    return new Map([...rows].map(([sample, own]) => [sample, { values: mean(own), axes }]));
  }
}

/** What the model says of one sample, in the shape of its output without the batch. */
export interface Said {
  readonly values: Float32Array;
  readonly axes: readonly number[];
}

function jobOf(sample: Sample, chosen: ClassOrContrast): Job {
  const job = (index: Index) => ({ sample, chosen, index, parts: [], milliseconds: 0 });
  if (chosen.kind === "class") return job(chosen.index);
  return { ...job(chosen.index), against: job(chosen.against) };
}

type Axes = Pick<OutputView, "axes" | "classAt">;

export const chosenAt = (index: Index, view: Axes): ClassOrContrast => ({
  kind: "class",
  index,
  class: classOfIndex(view, index),
  places: placesOf(view, index),
});

/** What is wanted of one sample. A class without a place is explained where the model says it most surely. */
export function chosenFrom(wanted: Wanted, view: Axes, sample: Sample, said: Said | undefined): ClassOrContrast[] {
  const { classAt } = view;
  const cell = wanted.at && !isPlace(wanted.at) ? cellOf(wanted.at, view, sample, said!.axes) : wanted.at;
  /** A number for each axis that is settled. */
  const settled = (own?: number): (number | undefined)[] => {
    let next = 0;
    return view.axes.map((_, axis) => (axis === classAt ? own : (cell as readonly number[] | undefined)?.[next++]));
  };
  const best = (own: number | undefined, count: number): Index[] => {
    const known = settled(own);
    return known.every((each) => each !== undefined) ? [known] : topOf(said!.values, said!.axes, count, known);
  };
  if (wanted.kind === "top") return best(undefined, wanted.count).map((index) => chosenAt(index, view));
  if (wanted.kind === "class") return best(wanted.index, 1).map((index) => chosenAt(index, view));
  const { plus, minus } = wanted;
  const [index] = best(plus, 1) as [Index];
  const against = index.map((at, axis) => (axis === classAt ? minus : at));
  return [{ kind: "contrast", plus, minus, index, against, places: placesOf(view, index) }];
}

const keyOf = (chosen: ClassOrContrast): string =>
  chosen.kind === "class" ? chosen.index.join() : `${chosen.index.join()} - ${chosen.against.join()}`;

export const distinct = (all: readonly ClassOrContrast[]): ClassOrContrast[] => [
  ...new Map(all.map((each) => [keyOf(each), each])).values(),
];
