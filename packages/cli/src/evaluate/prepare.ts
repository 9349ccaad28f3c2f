/** From flags to a setup: model, data, methods that this model supports, and how much fits into memory. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { type ChosenMetric, DataError } from "@vitrail/evaluation";
import { inspect, methods } from "vitrail";
import { createExplainer, type Findings, type Int8, type Patches } from "vitrail/node";
import { findMethod } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { hiddenTokens } from "../model/hidden-tokens.js";
import { asVitrailError, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { type Checked, checkPictures } from "./check-pictures.js";
import { chooseMetrics, type MethodChoice } from "./choose.js";
import { type CaseChoice, type Cases, casesOf } from "./classes.js";
import { type DataRequest, type Dataset, openData } from "./data.js";
import { classesIn, judgedOutput } from "./engine.js";
import type { ChosenMethod, Opening, Setup } from "./setup.js";

export interface Request {
  readonly model: ModelFiles;
  readonly data: DataRequest;
  readonly choice: CaseChoice;
  readonly methods: MethodChoice;
  readonly metrics: readonly string[] | undefined;
  readonly seed: number;
  readonly batchSize: number;
  readonly opening: Opening;
  readonly workers: number | undefined;
  /** The model that the first is held against. */
  readonly second?: ModelFiles;
  /** Its 8-bit products, where they are to differ. */
  readonly secondInt8?: Int8;
  /** The rows beside the methods; all of the library's when not said. */
  readonly baselines?: readonly string[];
}

export interface Prepared {
  readonly setup: Setup;
  readonly data: Dataset;
  readonly cases: Cases;
  readonly metrics: readonly ChosenMetric[];
  readonly workers: number;
  /** Pictures whose mask or boxes were of another size (of the same shape) and are scaled. */
  readonly scaled: number;
  readonly sha256: string;
  readonly secondSha256?: string;
  readonly baselines?: readonly string[];
  /** Methods that this model does not support, each with the reason. */
  readonly leftOut: readonly { readonly method: string; readonly why: string }[];
}

export async function prepare(request: Request, terminal: Terminal): Promise<Prepared> {
  const { model, seed, batchSize, opening, choice } = request;
  const data = await terminal.busy(`reading ${request.data.spec}`, () => openData(request.data));
  for (const note of data.notes ?? []) terminal.note(note);
  const metrics = chooseMetrics(request.metrics, data);
  const { supported, leftOut, findings } = await terminal.busy(`compiling ${model.name}`, () => supportedOf(request));
  const view = judgedOutput(findings, model);
  for (const note of view.notes) terminal.note(note);
  const checked = await checkedOf(data, terminal);
  const asked = casesOf(data, classesIn(view), choice);
  const unusable = new Set(checked.broken.map(({ file }) => file));
  const cases: Cases = {
    ...asked,
    refs: asked.refs.filter(({ sample }) => !unusable.has(pathOf(data, sample))),
    broken: [...asked.broken, ...checked.broken],
  };
  if (cases.broken.length > 0 && !request.data.skipBroken) {
    const why = new DataError(cases.broken, data.total).message;
    const hint =
      checked.broken.length === 0 ? "--labels FILE with the model's class names, or " : "mend these rows, or ";
    throw problem("E097", { at: `--data ${data.name}`, why, try: `${hint}--skip-broken to go on without them` });
  }
  if (cases.refs.length === 0) {
    throw problem("E097", { at: `--data ${data.name}`, why: "no row of it can be used", try: "mend the rows" });
  }
  if (choice.target === "labels" && !cases.labelled) {
    terminal.note("no label of the data is a class of the model: the model's own answer is explained");
  }
  const patches = data.kind === "picture" ? await patchesOf(model.file, findings) : undefined;
  const { workers, sessions } = await roomFor(model.file, request.workers);
  const { second, secondInt8, baselines } = request;
  const setup: Setup = {
    model,
    ...(second && { second }),
    ...(secondInt8 && { secondInt8 }),
    data: request.data,
    choice,
    methods: supported,
    metrics: metrics.map(({ name }) => name),
    seed,
    batchSize,
    opening,
    sessions,
    ...(patches && { patches }),
  };
  return {
    setup,
    data,
    cases,
    metrics,
    workers,
    scaled: checked.scaled,
    sha256: await sha256Of(model.file),
    ...(second && { secondSha256: await sha256Of(second.file) }),
    ...(baselines && { baselines }),
    leftOut,
  };
}

const pathOf = (data: Dataset, sample: number): string =>
  data.kind === "picture" ? (data.samples[sample]!.path ?? "") : "";

async function checkedOf(data: Dataset, terminal: Terminal): Promise<Checked> {
  if (data.kind !== "picture") return { broken: [], scaled: 0 };
  const { samples, pictures } = data;
  const checked = await terminal.busy("looking at the pictures", () => checkPictures(samples, pictures));
  const { scaled } = checked;
  if (scaled > 0) {
    terminal.note(
      `${scaled} of ${samples.length} pictures are not of the size of their masks or boxes, which are scaled`,
    );
  }
  return checked;
}

/** Opens every method once: one that was named must work, one of all is left out with its reason. */
async function supportedOf({ model, second, secondInt8, opening, methods: { methods, named } }: Request) {
  const supported: ChosenMethod[] = [];
  const leftOut: { method: string; why: string }[] = [];
  let findings: Findings | undefined;
  let failure: unknown;
  for (const asked of methods) {
    const options = { ...(await hiddenTokens(findMethod(asked.id), model)), ...asked.options };
    const method: ChosenMethod = { ...asked, options };
    try {
      const explainer = await createExplainer(model.file, { method: method.id, ...opening, ...method.options });
      findings = findings?.metadata.tokens ? findings : explainer.findings;
      await explainer.close();
      if (second)
        await (
          await createExplainer(second.file, {
            method: method.id,
            ...opening,
            ...(secondInt8 && { int8: secondInt8 }),
            ...method.options,
          })
        ).close();
      supported.push(method);
    } catch (error) {
      failure ??= error;
      if (named.has(method.name)) throw error;
      leftOut.push({ method: method.name, why: asVitrailError(error).diagnostics[0]!.title });
    }
  }
  if (!findings) throw failure;
  return { supported, leftOut, findings };
}

/** The model's patches as a token method finds them; squares of 16 pixels where the model has none. */
async function patchesOf(file: string, { metadata }: Findings): Promise<Patches> {
  const bytes = metadata.tokens ? undefined : await readFile(file);
  const candidates = bytes ? methods.filter(({ kind }) => kind === "tokens") : [];
  const tokens =
    metadata.tokens ?? candidates.map(({ id }) => inspect(bytes!, { method: id }).metadata?.tokens).find(Boolean);
  return tokens?.grid || tokens?.stride ? tokens : { grid: null, stride: [16, 16] };
}

/** A session takes several times its model's size while it runs; half of the memory is used. */
async function roomFor(file: string, wanted: number | undefined): Promise<{ workers: number; sessions: number }> {
  const fitting = totalmem() / 2 / (8 * (await stat(file)).size);
  const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, Math.floor(value)));
  const workers = wanted ?? clamp(fitting, 1, availableParallelism());
  return { workers, sessions: clamp(fitting / workers, 2, 24) };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
