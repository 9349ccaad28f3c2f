import { basename } from "node:path";
import type { Command } from "commander";
import { createExplainer, type Explainer } from "vitrail/node";
import { agreements, readTop } from "../compare/agreement.js";
import { type Column, type ColumnFlags, readColumns, takeArguments, usual } from "../compare/column.js";
import { toComparison } from "../compare/document.js";
import { allFormats, readFormats, writeComparison } from "../compare/files.js";
import { type Comparison, compareAll, type Refusal } from "../compare/run.js";
import { sayComparison } from "../compare/say.js";
import { outputView } from "../explain/output.js";
import type { Sample } from "../explain/sample.js";
import { readWanted } from "../explain/wanted.js";
import { watchRuns } from "../explain/watch.js";
import { Work } from "../explain/work.js";
import {
  addFromFlag,
  addInputFlags,
  addModelFlags,
  addRunFlags,
  addSpeechFlags,
  type CommonFlags,
  collect,
  readCount,
  readDevice,
} from "../flags.js";
import { findSources, type InputFlags } from "../input/source.js";
import { addOptionFlags } from "../method.js";
import { hiddenTokens } from "../model/hidden-tokens.js";
import { openModel } from "../model/open.js";
import { addViewFlags, readView, type ViewFlags } from "../output/view.js";
import { prepareFolder } from "../output/write.js";
import { asVitrailError, exit, exitCodeOf } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface CompareFlags extends CommonFlags, ColumnFlags, ViewFlags, InputFlags {
  target?: string[];
  contrast?: string[];
  top?: string;
  out?: string;
  format?: string;
  output?: string;
  explains?: string;
  readout?: string;
  from?: "logit" | "probability";
  at?: string;
}

export function compareVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("compare")
    .description("lay methods beside each other: maps, what they cost, how far they agree")
    .argument("[model]", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .argument("[input...]", "pictures, folders of pictures, or - for standard input")
    .option("-m, --methods <names...>", `a b:OPTION=VALUE c or all (default: one of each kind, ${usual().join(" ")})`)
    .option(
      "-t, --target <class>",
      "LABEL, INDEX, predicted or topK, of a dense output also LABEL@row,column; repeatable (default: predicted)",
      collect,
    )
    .option("--at <x,y>", "the cell of a dense output that holds this pixel of the picture")
    .option("--contrast <A:B>", "what speaks for A rather than B; repeatable", collect)
    .option("--top <k>", "how many of the strongest units are compared: a number, or a share such as 0.1 (the default)")
    .option("-o, --out <folder>", "where files are written (default: vitrail-out; with --json nowhere)")
    .option("-f, --format <list>", `some of ${allFormats.join(", ")} (default: all that fit)`)
    .option("--output <name>", "the model output to explain")
    .option("--explains <name>", "the model input to explain")
    .option("--readout <tokens>", "which tokens the head reads: index:K, mean or mean:FROM:TO");
  addSpeechFlags(addFromFlag(addRunFlags(addViewFlags(addOptionFlags(addInputFlags(addModelFlags(command)))))));
  command.action((model: string | undefined, inputs: string[], flags: CompareFlags) =>
    run(flags, (terminal) => {
      const { model: name, rest, methods } = takeArguments([model, ...inputs], flags);
      return compare(name, rest, { ...flags, ...(methods && { methods }) }, terminal);
    }),
  );
}

async function compare(model: string, inputs: string[], flags: CompareFlags, terminal: Terminal): Promise<number> {
  const columns = readColumns(flags);
  const view = readView(flags);
  const top = readTop(flags.top);
  const formats = readFormats(flags.format);
  const batchSize = readCount("batch-size", flags.batchSize) ?? 1;
  const folder = flags.out ?? "vitrail-out";
  const files = await openModel(model, flags, terminal);
  const writes = flags.out !== undefined || !flags.json;
  if (writes) await prepareFolder(folder);
  const open = ({ name, method, options }: Column): Promise<Explainer> =>
    terminal.busy(`compiling ${basename(files.name)} with ${name}`, async () =>
      createExplainer(files.file, {
        method: method.id,
        target: "index",
        ...(flags.output && { output: flags.output }),
        ...(flags.from && { from: flags.from }),
        ...(flags.explains && { explains: flags.explains }),
        ...(flags.readout && { readout: flags.readout }),
        ...(await hiddenTokens(method, files)),
        ...options,
        ...readDevice(flags),
      }),
    );
  const unread: Refusal[] = [];
  const load = async ({ findings }: Explainer): Promise<Sample[]> => {
    const sources = await findSources(inputs, flags, findings, files);
    const read = sources.map(({ name, load }) =>
      load().catch((error: unknown) => {
        unread.push({ input: name, error });
        return [];
      }),
    );
    return (await Promise.all(read)).flat();
  };
  const work = (explainer: Explainer, { method }: Column) => {
    const view = outputView(explainer.findings, files);
    const wanted = readWanted(flags, view);
    return new Work(explainer, { onProgress: watchRuns(terminal, method.id), wanted, batchSize, view });
  };
  const done = await compareAll(columns, { open, work, load, batchSize, terminal });
  const comparison: Comparison = { ...done, refusals: [...unread, ...done.refusals] };
  const pairs = agreements(
    comparison.rows.map(({ common }) => common),
    comparison.columns.length,
    top,
  );
  if (comparison.rows.length > 0) {
    const context = { comparison, pairs, top, model: files.name };
    const written = writes ? await writeComparison({ ...context, folder, formats, view }) : [];
    sayComparison(terminal, context, written);
  }
  if (flags.json) terminal.json(toComparison(comparison, pairs, { model: files.name, top }));
  return finish(comparison, terminal);
}

/** What was refused is said last, so that it is not overlooked. */
function finish({ rows, refusals }: Comparison, terminal: Terminal): number {
  for (const { method, input, error } of refusals) {
    const what = [method, input].filter((part) => part !== undefined).join(" on ");
    terminal.complain(`${terminal.colors.red("not compared")} ${what}\n${asVitrailError(error).message}`);
  }
  const [first] = refusals;
  if (!first) return exit.done;
  return rows.length > 0 ? exit.partly : exitCodeOf(first.error);
}
