import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { inspect, originalBytes, saturatingWeights } from "vitrail";
import { addFromFlag, addModelFlags, addSpeechFlags, type CommonFlags } from "../flags.js";
import { addMethodFlags, type MethodFlags, readMethod } from "../method.js";
import { openModel } from "../model/open.js";
import { exit } from "../problem.js";
import { findingsOf, reportLines, saturationLine } from "../report.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface InspectFlags extends CommonFlags, MethodFlags {
  ir?: boolean;
  output?: string;
  explains?: string;
  readout?: string;
  from?: "logit" | "probability";
}

export function inspectVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("inspect")
    .description("show what was found in a model: inputs, attention, tokens, and what stands in the way")
    .argument("<model>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .option("--ir", "print the whole graph, original and appended")
    .option("--output <name>", "the model output to explain")
    .option("--explains <name>", "the model input to explain")
    .option("--readout <tokens>", "which tokens the head reads: index:K, mean or mean:FROM:TO");
  addSpeechFlags(addFromFlag(addMethodFlags(addModelFlags(command))));
  command.action((model: string, flags: InspectFlags) => run(flags, (terminal) => show(model, flags, terminal)));
}

async function show(model: string, flags: InspectFlags, terminal: Terminal): Promise<number> {
  const { method, options } = readMethod(flags);
  const files = await openModel(model, flags, terminal);
  const bytes = await readFile(files.file);
  const report = inspect(bytes, {
    method: method.id,
    ...(flags.output && { output: flags.output }),
    ...(flags.from && { from: flags.from }),
    ...(flags.explains && { explains: flags.explains }),
    ...(flags.readout && { readout: flags.readout }),
    ...options,
  });
  const saturating = saturatingWeights(originalBytes(bytes));
  const { print, ...findings } = report;
  if (flags.json) {
    const { name, file, labels } = files;
    const ir = flags.ir ? { ir: report.print() } : {};
    const evidence = findingsOf(report, files);
    terminal.json({ model: { name, file }, labels: labels ?? null, ...findings, saturating, evidence, ...ir });
  } else if (flags.ir) {
    terminal.print(report.print());
  } else {
    for (const line of reportLines(report, files, terminal.colors)) terminal.print(line);
    if (saturating.length > 0) terminal.print(saturationLine(saturating, terminal.colors));
  }
  const unsupported = report.diagnostics.some(({ kind }) => kind === "unsupported");
  return unsupported ? exit.unsupported : exit.done;
}
