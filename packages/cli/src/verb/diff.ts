import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Command, Option } from "commander";
import { inspect } from "vitrail";
import { readGates } from "../evaluate/choose.js";
import { conduct, readSummary } from "../evaluate/conduct.js";
import { addEvaluationFlags, type EvaluationFlags, readRequest } from "../evaluate/flags.js";
import { prepare } from "../evaluate/prepare.js";
import { addMeaningFlag, addModelFlags, addRunFlags, addSpeechFlags } from "../flags.js";
import { defaultMethod } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { openModel } from "../model/open.js";
import { prepareFolder } from "../output/write.js";
import { problem } from "../problem.js";
import { commandLine } from "./evaluate.js";
import type { RunVerb } from "./verb.js";

/** What is asked of two models. */
const metrics = ["same-decision", "probability-change", "map-agreement", "top-overlap"];

export function diffVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("diff")
    .description("do two models (float32 and int8, old and new) decide alike, and for the same reasons?")
    .argument("<a>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .argument("<b>", "the model that it is held against; it must read its inputs in the same way")
    .addOption(
      new Option("--int8-b <sums>", "8-bit products of b, where they are to differ from those of a (--int8)").choices([
        "fast",
        "exact",
      ]),
    )
    .option("--metrics <names...>", `what is compared (default: ${metrics.join(", ")}; top-overlap:k=20)`);
  addSpeechFlags(addRunFlags(addModelFlags(addMeaningFlag(addEvaluationFlags(command, "vitrail-diff")))));
  command.action((a: string, b: string, flags: EvaluationFlags & { int8B?: "fast" | "exact" }) =>
    run(flags, async (terminal) => {
      const gates = readGates(flags.failIf);
      const before = await readSummary(flags.against);
      const [model, second] = [await openModel(a, flags, terminal), await openModel(b, flags, terminal)];
      await checkAlike(model, second);
      const wanted = { ...flags, metrics: flags.metrics ?? metrics, methods: flags.methods ?? [defaultMethod] };
      const request = {
        ...readRequest(model, wanted),
        second,
        baselines: ["random"],
        ...(flags.int8B && { secondInt8: flags.int8B }),
      };
      await prepareFolder(flags.out);
      const title = `Do ${model.name} and ${second.name} decide alike, and for the same reasons?`;
      return conduct(
        await prepare(request, terminal),
        { flags, gates, ...(before && { before }), command: commandLine(program), title },
        terminal,
      );
    }),
  );
}

/** Both models get the same tensors, so they must take the same and be fed the same. */
async function checkAlike(a: ModelFiles, b: ModelFiles): Promise<void> {
  const read = async ({ file, preprocessor, tokenizer, labels }: ModelFiles) => ({
    inputs: inspect(await readFile(file)).inputs.map(({ name, type, dims }) => `${name}: ${type}, ${dims.length} axes`),
    preprocessing: preprocessor ?? null,
    tokenizer: tokenizer === undefined ? null : await readFile(join(tokenizer, "tokenizer.json"), "utf8"),
    labels: labels ?? null,
  });
  const [first, second] = [await read(a), await read(b)];
  const different = (Object.keys(first) as (keyof typeof first)[]).filter(
    (part) => !isDeepStrictEqual(first[part], second[part]),
  );
  if (different.length === 0) return;
  const why = `they differ in ${different.join(", ")}`;
  throw problem("E091", {
    at: `${a.name}, ${b.name}`,
    why,
    try: "two models that read the same inputs into the same classes",
  });
}
