import { dirname } from "node:path";
import { type Command, Option } from "commander";
import { poolings } from "vitrail";
import { explainAll, type Outcome, reportOf } from "../explain/run.js";
import { type SetUp, setUpClasses, setUpSimilar, type WorkFlags } from "../explain/set-up.js";
import { watchRuns } from "../explain/watch.js";
import {
  addFromFlag,
  addInputFlags,
  addModelFlags,
  addRunFlags,
  addSpeechFlags,
  collect,
  readCount,
  readDevice,
  readExecution,
  readNames,
} from "../flags.js";
import { addMethodFlags, type MethodFlags, readMethod } from "../method.js";
import { hiddenTokens } from "../model/hidden-tokens.js";
import { openModel } from "../model/open.js";
import { allFormats, readFormats } from "../output/files.js";
import { addViewFlags, readView, type ViewFlags } from "../output/view.js";
import { prepareFolder } from "../output/write.js";
import { asksForPrompts, type PromptFlags } from "../pair/prompts.js";
import { setUpPairs } from "../pair/set-up.js";
import { asVitrailError, exit, exitCodeOf, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface ExplainFlags extends WorkFlags, MethodFlags, ViewFlags, PromptFlags {
  out?: string;
  format?: string;
  readout?: string;
  from?: "logit" | "probability";
}

export function explainVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("explain")
    .description("show which parts of an input made the model say a class")
    .argument("<model>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .argument("[input...]", "pictures, folders of pictures, or - for standard input")
    .option(
      "-t, --target <class>",
      "LABEL, INDEX, predicted or topK, of a dense output also LABEL@row,column; repeatable (default: predicted, or all prompts)",
      collect,
    )
    .option("--at <x,y>", "the cell of a dense output that holds this pixel of the picture")
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
    .option("--explains <name>", "the model input to explain; with --prompt both are, unless one is named")
    .option("--readout <tokens>", "which tokens the head reads: index:K, mean or mean:FROM:TO");
  addSpeechFlags(addFromFlag(addRunFlags(addViewFlags(addMethodFlags(addInputFlags(addModelFlags(command)))))));
  command.action((model: string, inputs: string[], flags: ExplainFlags) =>
    run(flags, (terminal) => explain(model, inputs, flags, terminal)),
  );
}

async function explain(model: string, inputs: string[], flags: ExplainFlags, terminal: Terminal): Promise<number> {
  const { method, options } = readMethod(flags);
  const view = readView(flags);
  const batchSize = readCount("batch-size", flags.batchSize) ?? 1;
  checkSimilar(flags);
  const purpose = asksForPrompts(flags) ? "pair" : "model";
  const files = await openModel(model, { ...flags, purpose }, terminal);
  const compiled = {
    method: method.id,
    folder: dirname(files.file),
    ...(flags.output && { output: flags.output }),
    ...(flags.from && { from: flags.from }),
    ...(flags.explains && { explains: readNames(flags.explains) }),
    ...(flags.readout && { readout: flags.readout }),
    ...(await hiddenTokens(method, files)),
    ...(method.needs.includes("relevance") && { stability: true }),
    ...options,
    ...readDevice(flags),
  };
  const setUp: SetUp<ExplainFlags> = purpose === "pair" ? setUpPairs : flags.similarTo ? setUpSimilar : setUpClasses;
  const { sources, work, source, close } = await terminal.busy(`compiling ${files.name}`, () =>
    setUp(inputs, flags, files, compiled, watchRuns(terminal, method.id)),
  );
  try {
    const kinds = sources.map(({ kind }) => kind);
    const context = {
      model: files,
      method,
      execution: readExecution(flags),
      ...(source && { source }),
      ...(typeof options.seed === "number" && { seed: options.seed }),
    };
    const plan = { folder: flags.out ?? "vitrail-out", formats: readFormats(flags.format, kinds), view, context };
    const writes = flags.out !== undefined || !flags.json;
    if (writes) await prepareFolder(plan.folder);
    const run = { batchSize, terminal, ...(writes && { plan }), ...(flags.json && { context }) };
    const outcome = await explainAll(sources, work, run);
    if (flags.json) terminal.json(reportOf(outcome));
    return finish(outcome, terminal);
  } finally {
    await close();
  }
}

/** What is similar has no class. */
function checkSimilar({ similarTo, target, contrast, pooling, prompt, promptFile }: ExplainFlags): void {
  if (similarTo && (prompt ?? promptFile) !== undefined) {
    const why = "a picture is compared with prompts or with pictures";
    throw problem("E080", { at: "--similar-to", why, try: "leave --prompt out" });
  }
  if (similarTo && (target || contrast)) {
    const why = "it explains a similarity, not a class";
    throw problem("E080", { at: "--similar-to", why, try: "leave --target and --contrast out" });
  }
  if (pooling && !similarTo) {
    const why = "it says how --similar-to makes a vector";
    throw problem("E080", { at: "--pooling", why, try: "--similar-to TEXT" });
  }
}

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
