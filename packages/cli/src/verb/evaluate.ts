import type { Command } from "commander";
import { metricHelp, readGates } from "../evaluate/choose.js";
import { conduct, readSummary } from "../evaluate/conduct.js";
import { addEvaluationFlags, type EvaluationFlags, readRequest } from "../evaluate/flags.js";
import { prepare } from "../evaluate/prepare.js";
import { addMeaningFlag, addModelFlags, addRunFlags, addSpeechFlags } from "../flags.js";
import { openModel } from "../model/open.js";
import { prepareFolder } from "../output/write.js";
import type { RunVerb } from "./verb.js";

export function evaluateVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("evaluate")
    .description("measure how well maps explain the model, with chance beside every figure")
    .argument("<model>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .option("--metrics <names...>", `what is measured: ${metricHelp}`);
  addSpeechFlags(addRunFlags(addModelFlags(addMeaningFlag(addEvaluationFlags(command, "vitrail-evaluation")))));
  command.action((name: string, flags: EvaluationFlags) =>
    run(flags, async (terminal) => {
      const gates = readGates(flags.failIf);
      const before = await readSummary(flags.against);
      const model = await openModel(name, flags, terminal);
      const request = readRequest(model, flags);
      await prepareFolder(flags.out);
      const prepared = await prepare(request, terminal);
      return conduct(prepared, { flags, gates, ...(before && { before }), command: commandLine(program) }, terminal);
    }),
  );
}

/** What was typed; commander keeps it without declaring it. */
export const commandLine = (program: Command): string => {
  const { rawArgs } = program as Command & { rawArgs: readonly string[] };
  return ["vitrail", ...rawArgs.map((text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : JSON.stringify(text)))].join(" ");
};
