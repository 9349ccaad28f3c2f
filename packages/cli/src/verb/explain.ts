import { dirname } from "node:path";
import { type Command, Option } from "commander";
import { type Pooling, poolings } from "vitrail";
import { createExplainer, type Explainer } from "vitrail/node";
import { embeddingOf } from "../explain/embedding.js";
import { score } from "../explain/prediction.js";
import { explainAll, type Outcome, reportOf } from "../explain/run.js";
import { Similar } from "../explain/similar.js";
import { readWanted } from "../explain/wanted.js";
import { watchRuns } from "../explain/watch.js";
import { Work } from "../explain/work.js";
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
import { findPairs, findSources, type InputFlags } from "../input/source.js";
import { addMethodFlags, type MethodFlags, readMethod } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { hiddenTokens } from "../model/hidden-tokens.js";
import { openModel } from "../model/open.js";
import { allFormats, readFormats } from "../output/files.js";
import { addViewFlags, readView, type ViewFlags } from "../output/view.js";
import { prepareFolder } from "../output/write.js";
import { asVitrailError, exit, exitCodeOf, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface ExplainFlags extends CommonFlags, MethodFlags, ViewFlags, InputFlags {
  target?: string[];
  contrast?: string[];
  out?: string;
  format?: string;
  output?: string;
  explains?: string;
  readout?: string;
  similarTo?: string[];
  pooling?: Pooling;
}

export function explainVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("explain")
    .description("show which parts of an input made the model say a class")
    .argument("<model>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .argument("[input...]", "pictures, folders of pictures, or - for standard input")
    .option("-t, --target <class>", "LABEL, INDEX, predicted or topK; repeatable (default: predicted)", collect)
    .option("--contrast <A:B>", "what speaks for A rather than B; repeatable", collect)
    .option("--similar-to <input>", "what makes the input similar to this text or picture; repeatable", collect)
    .addOption(
      new Option("--pooling <way>", "one vector from one per token (default: the model's own, or mean)").choices(
        poolings,
      ),
    )
    .option("-o, --out <folder>", "where files are written (default: vitrail-out; with --json nowhere)")
    .option("-f, --format <list>", `some of ${allFormats.join(", ")} (default: png,json or html,json)`)
    .option("--output <name>", "the model output to explain")
    .option("--explains <name>", "the model input to explain")
    .option("--readout <tokens>", "which tokens the head reads: index:K, mean or mean:FROM:TO");
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
  checkSimilar(flags);
  const texts = (flags.text ?? flags.textFile) !== undefined;
  const embedding = flags.similarTo && (await embeddingOf(files, { ...flags, texts }));
  const hidden = await hiddenTokens(method, files);
  const open = (severalTargets: boolean) =>
    createExplainer(embedding?.bytes ?? files.file, {
      method: method.id,
      severalTargets,
      target: targetMode(flags, files),
      folder: dirname(files.file),
      ...(flags.output && { output: flags.output }),
      ...(embedding && { output: embedding.output }),
      ...(flags.explains && { explains: flags.explains }),
      ...(flags.readout && { readout: flags.readout }),
      ...hidden,
      ...options,
      ...readDevice(flags),
    });
  const several = wantsSeveral(flags, files);
  const explainer = await terminal.busy(`compiling ${files.name}`, () =>
    open(several).catch(orOneByOne(several, open)),
  );
  try {
    const sources = flags.similarTo
      ? await findPairs(inputs, flags, flags.similarTo, explainer.findings, files)
      : await findSources(inputs, flags, explainer.findings, files);
    const kinds = sources.map(({ kind }) => kind);
    const source = embedding?.source;
    const context = {
      model: files,
      method,
      ...(source && { source }),
      ...(typeof options.seed === "number" && { seed: options.seed }),
    };
    const plan = { folder: flags.out ?? "vitrail-out", formats: readFormats(flags.format, kinds), view, context };
    const scoresOf = (logits: Float32Array) => score(logits, files.config, files.labels);
    const writes = flags.out !== undefined || !flags.json;
    if (writes) await prepareFolder(plan.folder);
    const run = { batchSize, terminal, ...(writes && { plan }), ...(flags.json && { context }) };
    const work = embedding
      ? new Similar(explainer, embedding.vector)
      : new Work(explainer, {
          wanted: readWanted(flags, explainer, files.labels),
          batchSize,
          scoresOf,
          onProgress: watchRuns(terminal, method.id),
        });
    const outcome = await explainAll(sources, work, run);
    if (flags.json) terminal.json(reportOf(outcome));
    return finish(outcome, terminal);
  } finally {
    await explainer.close();
  }
}

/** What is similar has no class. */
function checkSimilar({ similarTo, target, contrast, pooling }: ExplainFlags): void {
  if (similarTo && (target || contrast)) {
    const why = "it explains a similarity, not a class";
    throw problem("E080", { at: "--similar-to", why, try: "leave --target and --contrast out" });
  }
  if (pooling && !similarTo) {
    const why = "it says how --similar-to makes a vector";
    throw problem("E080", { at: "--pooling", why, try: "--similar-to TEXT" });
  }
}

/** Only the top class is wanted: then the model finds it itself, which saves a second session for the prediction. */
function targetMode({ contrast, target, text, textFile, similarTo }: ExplainFlags, { labels }: ModelFiles) {
  if (contrast || similarTo) return "weights";
  const top = (target ?? ["predicted"]).every((each) => /^(predicted|top1)$/.test(each) && !labels?.includes(each));
  // The windows of a long text share one class, which is theirs together.
  return top && !text && textFile === undefined ? "predicted" : "index";
}

/** More than one map of the same input: they share one forward pass. */
function wantsSeveral({ contrast = [], target = [] }: ExplainFlags, { labels }: ModelFiles): boolean {
  const ranked = target.some((each) => /^top[- ]?([2-9]|\d\d+)$/i.test(each) && !labels?.includes(each));
  return ranked || contrast.length + target.length > 1;
}

/** Where an operator takes one target only, runs follow each other and give the same maps. */
const orOneByOne =
  (several: boolean, open: (several: boolean) => Promise<Explainer>) =>
  (error: unknown): Promise<Explainer> => {
    if (several && asVitrailError(error).diagnostics.every(({ code }) => code === "E034")) return open(false);
    throw error;
  };

function finish({ answered, failures }: Outcome, terminal: Terminal): number {
  for (const { input, error } of failures) {
    terminal.complain(`${terminal.colors.red("failed")} ${input}\n${asVitrailError(error).message}`);
  }
  const [first] = failures;
  if (!first) return exit.done;
  const total = answered + failures.length;
  if (total > 1) terminal.complain(`${failures.length} of ${total} inputs failed`);
  return answered > 0 ? exit.partly : exitCodeOf(first.error);
}
