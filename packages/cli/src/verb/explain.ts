import type { Command } from "commander";
import { createExplainer, type Explainer } from "vitrail/node";
import { toDocument } from "../explain/document.js";
import { score } from "../explain/prediction.js";
import { sayAnswers } from "../explain/say.js";
import { type Classes, parseContrast, parseTarget, type Wanted } from "../explain/wanted.js";
import { type Answer, Work } from "../explain/work.js";
import {
  addInputFlags,
  addModelFlags,
  addRunFlags,
  addSpeechFlags,
  type CommonFlags,
  collect,
  readCount,
  readDevice,
} from "../flags.js";
import { findSources, type InputFlags, type Source } from "../input/source.js";
import { addMethodFlags, type MethodFlags, readMethod } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { openModel } from "../model/open.js";
import { allFormats, type OutputPlan, readFormats, writeAnswers } from "../output/files.js";
import { addViewFlags, readView, type ViewFlags } from "../output/view.js";
import { prepareFolder } from "../output/write.js";
import { asVitrailError, exit, exitCodeOf } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface ExplainFlags extends CommonFlags, MethodFlags, ViewFlags, InputFlags {
  target?: string[];
  contrast?: string[];
  out?: string;
  format?: string;
  output?: string;
  explains?: string;
}

export function explainVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("explain")
    .description("show which parts of an input made the model say a class")
    .argument("<model>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .argument("[input...]", "pictures, folders of pictures, or - for standard input")
    .option("-t, --target <class>", "LABEL, INDEX, predicted or topK; repeatable (default: predicted)", collect)
    .option("--contrast <A:B>", "what speaks for A rather than B; repeatable", collect)
    .option("-o, --out <folder>", "where files are written (default: vitrail-out; with --json nowhere)")
    .option("-f, --format <list>", `some of ${allFormats.join(", ")} (default: png,json or html,json)`)
    .option("--output <name>", "the model output to explain")
    .option("--explains <name>", "the model input to explain");
  addSpeechFlags(addRunFlags(addViewFlags(addMethodFlags(addInputFlags(addModelFlags(command))))));
  command.action((model: string, inputs: string[], flags: ExplainFlags) =>
    run(flags, (terminal) => explain(model, inputs, flags, terminal)),
  );
}

async function explain(model: string, inputs: string[], flags: ExplainFlags, terminal: Terminal): Promise<number> {
  const { method, options } = readMethod(flags);
  const view = readView(flags);
  const batchSize = readCount("batch-size", flags.batchSize) ?? 1;
  const files = await openModel(model, flags, terminal);
  const folder = flags.out ?? (flags.json ? undefined : "vitrail-out");
  if (folder !== undefined) await prepareFolder(folder);
  const open = () =>
    createExplainer(files.file, {
      method: method.id,
      target: flags.contrast ? "weights" : "index",
      ...(flags.output && { output: flags.output }),
      ...(flags.explains && { explains: flags.explains }),
      ...options,
      ...readDevice(flags),
    });
  const explainer = await terminal.busy(`compiling ${files.name}`, open);
  try {
    const context = { model: files, method };
    const sources = await findSources(inputs, flags, explainer.findings, files);
    const formats = readFormats(
      flags.format,
      sources.map(({ kind }) => kind),
    );
    const plan = folder === undefined ? undefined : { folder, formats, view, context };
    const wanted = readWanted(flags, explainer, files);
    const scoresOf = (logits: Float32Array) => score(logits, files.config, files.labels);
    const work = new Work(explainer, { wanted, batchSize, scoresOf });
    const { answers, failures } = await explainAll(sources, work, plan, batchSize, terminal);
    if (flags.json)
      terminal.json(
        report(
          answers.map((answer) => toDocument(answer, context)),
          failures,
        ),
      );
    return finish(answers.length, failures, terminal);
  } finally {
    await explainer.close();
  }
}

function readWanted(flags: ExplainFlags, { findings, metadata }: Explainer, { labels }: ModelFiles): Wanted[] {
  const last = findings.outputs.find(({ name }) => name === metadata.output)?.dims.at(-1);
  const classes: Classes = { labels, count: typeof last === "number" ? last : undefined };
  const { contrast = [], target = contrast.length > 0 ? [] : ["predicted"] } = flags;
  return [...target.map((text) => parseTarget(text, classes)), ...contrast.map((text) => parseContrast(text, classes))];
}

interface Failure {
  input: string;
  error: unknown;
}

/** One failing input does not stop the others. */
async function explainAll(
  sources: readonly Source[],
  work: Work,
  plan: OutputPlan | undefined,
  batchSize: number,
  terminal: Terminal,
) {
  const answers: Answer[] = [];
  const failures: Failure[] = [];
  const said = new Set<string>();
  const bar = terminal.progress("explaining", sources.length > 1 ? sources.length : 0, "inputs");
  const attempt = async <T>(names: readonly string[], task: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await task();
    } catch (error) {
      for (const input of names) failures.push({ input, error });
      return [];
    }
  };
  for (let at = 0; at < sources.length; at += batchSize) {
    const chunk = sources.slice(at, at + batchSize);
    const samples = (await Promise.all(chunk.map((source) => attempt([source.name], () => source.load())))).flat();
    const names = samples.map(({ name }) => name);
    const found = samples.length > 0 ? await attempt(names, () => work.answer(samples)) : [];
    for (const sample of samples) {
      const own = found.filter((answer) => answer.sample === sample);
      if (own.length === 0) continue;
      const written = plan ? await writeAnswers(own, plan) : [];
      sayAnswers(terminal, own, written, said);
    }
    answers.push(...found);
    bar.step(chunk.length);
  }
  bar.end();
  return { answers, failures };
}

function report(explanations: readonly object[], failures: readonly Failure[]): object {
  const [only] = explanations;
  if (only && explanations.length === 1 && failures.length === 0) return only;
  const failed = failures.map(({ input, error }) => ({ input, diagnostics: asVitrailError(error).diagnostics }));
  return { explanations, ...(failed.length > 0 && { failures: failed }) };
}

function finish(answered: number, failures: readonly Failure[], terminal: Terminal): number {
  if (failures.length === 0) return exit.done;
  for (const { input, error } of failures) {
    terminal.complain(`${terminal.colors.red("failed")} ${input}\n${asVitrailError(error).message}`);
  }
  const total = answered + failures.length;
  if (total > 1) terminal.complain(`${failures.length} of ${total} inputs failed`);
  return answered > 0 ? exit.partly : exitCodeOf(failures[0]!.error);
}
