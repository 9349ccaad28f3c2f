/** One worker's bench: model, data and methods opened once; jobs measured, and single maps made for the report. */
import {
  argmax,
  type Bench,
  baselineExplainer,
  baselines,
  type Case,
  chooseMetric,
  type Job,
  type Explainer as Judged,
  type Model,
  type PictureSample,
  performer,
  perUnit,
  type ResultRow,
  randomises,
  type Shortened,
  type Subject,
  type Truth,
  type Word,
} from "@vitrail/evaluation";
import { createExplainer, type Feeds, type Explainer as Opened } from "vitrail/node";
import { findMethod } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { type CaseRef, type Cases, casesOf } from "./classes.js";
import { type Dataset, openData } from "./data.js";
import { classesIn, type Input, judgedOutput, methodOver, modelOver } from "./engine.js";
import { memoryMeter } from "./memory.js";
import { PictureCases } from "./picture-cases.js";
import { openRandomiser } from "./randomise.js";
import { Sessions } from "./sessions.js";
import type { ChosenMethod, Setup } from "./setup.js";
import { TextCases } from "./text-cases.js";

/** A sample under the map of one method, for the report. */
export type Shown =
  | {
      readonly kind: "picture";
      readonly width: number;
      readonly height: number;
      readonly rgb: Uint8Array;
      readonly rows: number;
      readonly columns: number;
      readonly values: Float32Array;
    }
  | { readonly kind: "text"; readonly words: readonly Word[] };

export interface ShowRequest {
  readonly case: string;
  readonly method: string;
}

interface Loaded {
  readonly case: Case<Input>;
  show(values: Float32Array): Shown;
}

interface Read {
  readonly subject: Subject<Input>;
  readonly shortened?: Shortened;
  readonly parts?: Case<Input>["parts"];
  truth(target: number): Promise<Truth>;
  show(values: Float32Array): Shown;
}

export interface WorkBench {
  perform(job: Job): Promise<readonly ResultRow[]>;
  show(request: ShowRequest): Promise<Shown>;
  close(): Promise<void>;
}

export async function openBench(setup: Setup): Promise<WorkBench> {
  const { model: files } = setup;
  const sessions = new Sessions(setup.sessions);
  const host = await createExplainer(files.file, optionsOf(setup.methods[0]!, setup));
  const data = await openData(setup.data);
  const view = judgedOutput(host.findings, files);
  const cases = casesOf(data, classesIn(view), setup.choice);
  const refs = new Map(cases.refs.map((ref) => [ref.id, ref]));
  const model = modelOver(host, view);
  const read = await readerOf(data, host, setup, cases);

  const methodOf = (name: string) => setup.methods.find((method) => method.name === name)!;
  const memoryOf = memoryMeter(setup);
  const explainer = async (name: string) => {
    const method = methodOf(name);
    const open = () => sessions.get(name, () => createExplainer(files.file, optionsOf(method, setup)));
    const memory = (feeds: Feeds) => memoryOf(method, feeds);
    const reads = { ...optionsOf(method, setup), stability: true };
    const reading = () => sessions.get(`${name} blocks`, () => createExplainer(files.file, reads));
    return methodOver(name, method === setup.methods[0] ? async () => host : open, {
      memory,
      reading: findMethod(method.id).needs.includes("relevance") ? reading : undefined,
    });
  };
  const randomised = setup.metrics.some((name) => randomises(name))
    ? await randomisedOf(setup, host, sessions)
    : undefined;
  const second = setup.second && (await secondOf(setup, setup.second, sessions));
  const bench: Bench<Input> = {
    model,
    seed: setup.seed,
    batchSize: setup.batchSize,
    clock: () => performance.now(),
    ...(second && { second }),
    ...(randomised && { randomised }),
  };
  const load = async (id: string): Promise<Loaded> => {
    const ref = refs.get(id)!;
    const { subject, truth, shortened, parts, show } = await read(ref.sample);
    const target = await targetOf(ref, model, subject.input);
    const label = labelsOf(data, cases, ref);
    const sample = data.samples[ref.sample]!;
    const group = ("group" in sample && sample.group) || sample.id;
    const known = { ...(label.length > 0 && { label }), ...(shortened && { shortened }), ...(parts && { parts }) };
    return { case: { id, group, subject, target, truth: await truth(target), ...known }, show };
  };
  const metrics = setup.metrics.map(chooseMetric);
  return {
    perform: performer({ bench, metrics, load: async (id) => (await load(id)).case, explainer }),
    show: async ({ case: id, method }) => {
      const { case: of, show } = await load(id);
      return show(await (await explainer(method)).explain(of.subject.input, of.target));
    },
    close: async () => {
      await sessions.close();
      await second?.close();
      await host.close();
    },
  };
}

/** The methods on the model with random layers. A baseline does not look at the model, so it stays what it is. */
async function randomisedOf(setup: Setup, { findings }: Opened, sessions: Sessions) {
  const sites = findings.sites.map(({ node }) => node);
  const { depths, model } = await openRandomiser(setup.model.file, sites, setup.seed);
  return async (explainer: Judged<Input>, depth: number): Promise<Judged<Input> | undefined> => {
    if (depth > depths) return undefined;
    const method = setup.methods.find(({ name }) => name === explainer.id);
    if (!method) return explainer;
    const open = () => createExplainer(model(depth), optionsOf(method, setup));
    return methodOver(method.name, () => sessions.get(`${method.name} ${depth}`, open));
  };
}

/** The model that the first is held against. Two random maps know nothing of each other: their agreement is chance. */
async function secondOf(first: Setup, files: ModelFiles, sessions: Sessions) {
  const { opening, secondInt8 } = first;
  const setup = secondInt8 ? { ...first, opening: { ...opening, int8: secondInt8 } } : first;
  const host = await createExplainer(files.file, optionsOf(setup.methods[0]!, setup));
  return {
    model: modelOver(host, judgedOutput(host.findings, files)),
    explainer: async (name: string, of: Case<Input>) => {
      const baseline = baselines.find(({ id }) => id === name);
      if (baseline) return baselineExplainer(baseline, of, `${setup.seed} second`);
      const method = setup.methods.find((one) => one.name === name)!;
      const open = () => sessions.get(`second ${name}`, () => createExplainer(files.file, optionsOf(method, setup)));
      return methodOver(name, method === setup.methods[0] ? async () => host : open);
    },
    close: () => host.close(),
  };
}

const optionsOf = ({ id, options }: ChosenMethod, { opening }: Setup) => ({ method: id, ...opening, ...options });

/** Reads a sample; what is true of it depends on the class that is asked for, where the data name classes of the model. */
async function readerOf(data: Dataset, host: Opened, setup: Setup, cases: Cases) {
  if (data.kind === "text") {
    const texts = await TextCases.open(host.findings, setup.model);
    return async (index: number): Promise<Read> => {
      const { truth, tokens, ...read } = texts.read(data.samples[index]!);
      const words = (values: Float32Array) =>
        tokens.map(({ text }, unit) => ({ text, relevance: values[unit]!, gold: truth.mask?.[unit] === 1 }));
      return { ...read, truth: async () => truth, show: (values) => ({ kind: "text", words: words(values) }) };
    };
  }
  const pictures = new PictureCases(host.findings, setup.model, setup.patches!, data.pictures);
  return async (index: number): Promise<Read> => {
    const sample: PictureSample = data.samples[index]!;
    const { subject, seen, parts, truth } = await pictures.read(sample);
    const own = (target: number) =>
      sample.regions.filter(({ label }) => !cases.labelled || cases.classOf(label) === target);
    const [rows, columns] = subject.grid!;
    return {
      subject,
      ...(parts && { parts }),
      truth: (target) => truth(own(target)),
      show: (values) => ({
        kind: "picture",
        width: seen.width,
        height: seen.height,
        rgb: seen.data,
        rows,
        columns,
        values: perUnit(subject, values),
      }),
    };
  };
}

async function targetOf({ target }: CaseRef, model: Model<Input>, input: Input): Promise<number> {
  if (target !== "predicted") return target;
  const [logits] = await model.predict([input]);
  return argmax(logits!);
}

/** The true classes, the explained one first where it is one of them. */
function labelsOf(data: Dataset, { classOf }: Cases, { sample, target }: CaseRef): number[] {
  const own = data.samples[sample]!;
  const names = "regions" in own ? own.labels : own.label === undefined ? [] : [own.label];
  const labels = names.flatMap((name) => classOf(name) ?? []);
  return labels.sort((a, b) => Number(b === target) - Number(a === target) || a - b);
}
