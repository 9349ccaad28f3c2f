import { readFile, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { compile, originalBytes, type Program } from "vitrail";
import { createExplainer, externalPaths } from "vitrail/node";
import { compareAnswers, SAME, sameAnswer } from "../doctor/same-answer.js";
import { addFromFlag, addModelFlags, addSpeechFlags, type CommonFlags, readNames } from "../flags.js";
import { addMethodFlags, type MethodFlags, readMethod } from "../method.js";
import { openModel } from "../model/open.js";
import { size } from "../output/size.js";
import { writeWhole } from "../output/write.js";
import { exit, problem } from "../problem.js";
import type { Colors, Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface CompileFlags extends CommonFlags, MethodFlags {
  out: string;
  patch?: string;
  targetInput: "index" | "weights" | "predicted";
  severalTargets?: boolean;
  output?: string;
  explains?: string;
  readout?: string;
  stability?: boolean;
  compact?: boolean;
  check?: boolean;
  from?: "logit" | "probability";
}

export function compileVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("compile")
    .description("write a model that explains itself: the original bytes and an appended patch")
    .argument("<model>", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .requiredOption("-o, --out <file>", "the compiled model")
    .option("--patch <file>", "the appended bytes by themselves")
    .addOption(
      new Option("--target-input <mode>", "what the compiled model takes as target")
        .choices(["index", "weights", "predicted"])
        .default("index"),
    )
    .option("--several-targets", "target and relevance get a leading axis: several classes in one run")
    .option("--output <name>", "the model output to explain")
    .option("--explains <names>", "the model input to explain; several with commas, each with its own relevance")
    .option("--readout <tokens>", "which tokens the head reads: index:K, mean or mean:FROM:TO")
    .option("--check", "run the file and the compiled one, and say how far their answers are apart")
    .option("--stability", "a second output that tells how far float32 can be trusted with each explanation")
    .option(
      "--compact",
      "little memory when it is run, rather than speed: as for models with more than 128 MB of weights",
    );
  addSpeechFlags(addFromFlag(addMethodFlags(addModelFlags(command))));
  command.action((model: string, flags: CompileFlags) => run(flags, (terminal) => write(model, flags, terminal)));
}

async function write(model: string, flags: CompileFlags, terminal: Terminal): Promise<number> {
  const { method, options } = readMethod(flags);
  const files = await openModel(model, flags, terminal);
  for (const path of [flags.out, flags.patch]) if (path !== undefined) await refuseInput(path, files.file);
  const original = originalBytes(await readFile(files.file));
  const program = compile(original, {
    method: method.id,
    target: flags.targetInput,
    ...(flags.severalTargets && { severalTargets: true }),
    ...(flags.output && { output: flags.output }),
    ...(flags.from && { from: flags.from }),
    ...(flags.explains && { explains: readNames(flags.explains) }),
    ...(flags.readout && { readout: flags.readout }),
    ...(flags.stability && { stability: true }),
    ...(flags.compact && { compact: true }),
    ...options,
  });
  const check = flags.check ? await checked(files.file, method.id, flags, options) : undefined;
  const { patch, report } = program;
  const bytes = original.length + patch.length;
  await writeWhole(flags.out, [original, patch]);
  if (flags.patch !== undefined) await writeWhole(flags.patch, patch);
  if (flags.json) {
    const paths = { out: flags.out, ...(flags.patch && { patch: flags.patch }) };
    const { metadata, nodes } = report;
    terminal.json({ ...paths, bytes, patchBytes: patch.length, nodes, metadata, ...(check && { check }) });
  }
  for (const line of summaryLines(flags.out, bytes, program, terminal.colors)) terminal.say(line);
  if (check) terminal[check.apart <= SAME ? "say" : "note"](`  ${sameAnswer(check)}`);
  const beside = externalPaths(original);
  if (beside.length > 0 && dirname(resolve(flags.out)) !== dirname(resolve(files.file))) {
    terminal.note(`the weights stay in ${beside.join(", ")}: copy them beside ${flags.out}`);
  }
  return exit.done;
}

/** Both are run as `explain` runs them. */
async function checked(file: string, method: string, flags: CompileFlags, options: Readonly<Record<string, unknown>>) {
  const explainer = await createExplainer(file, {
    method,
    ...(flags.output && { output: flags.output }),
    ...(flags.from && { from: flags.from }),
    ...(flags.explains && { explains: readNames(flags.explains) }),
    ...(flags.readout && { readout: flags.readout }),
    ...options,
  });
  try {
    return await compareAnswers(explainer);
  } finally {
    await explainer.close();
  }
}

function summaryLines(out: string, bytes: number, { patch, report }: Program, colors: Colors): string[] {
  const { method, output, explains, target, relevance, stability, further = [] } = report.metadata!;
  const share = ((100 * patch.length) / bytes).toFixed(1);
  const wanted =
    target.mode === "predicted"
      ? "the predicted class, found inside the graph"
      : `input "${target.name}" (${target.mode}${target.several ? ", several in one run" : ""})`;
  const unit = relevance.kind === "tokens" ? "one value per token" : "one value per element of the input";
  return [
    `${colors.bold(out)}  ${size(bytes)}, of which ${size(patch.length)} (${share} %) explain`,
    `  ${colors.dim("method  ")} ${method}`,
    `  ${colors.dim("explains")} ${output} by ${[explains, ...further.map((tower) => tower.explains)].join(" and ")}`,
    `  ${colors.dim("target  ")} ${wanted}`,
    `  ${colors.dim("result  ")} output ${[relevance, ...further.map((tower) => tower.relevance)].map(({ name }) => `"${name}"`).join(" and ")}, ${unit}`,
    ...(stability
      ? [
          `  ${colors.dim("steady  ")} output "${stability.name}": weak share, growth of rounding errors, sum block by block`,
        ]
      : []),
  ];
}

/** Reading and writing the same file would lose the original where writing fails, and it would be no original any more. */
async function refuseInput(out: string, input: string): Promise<void> {
  const real = await realpath(out).catch(() => resolve(out));
  if (real !== (await realpath(input))) return;
  throw problem("E080", {
    at: `-o ${out}`,
    why: "it is the model itself",
    try: "another name, such as model.explained.onnx",
  });
}
