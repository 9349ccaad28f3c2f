import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { Command } from "commander";
import { inspect } from "vitrail";
import type { Feeds } from "vitrail/node";
import { benchLines, benchRows, type ProviderFigures } from "../bench/report.js";
import { measureMethod, measurePlain } from "../bench/run.js";
import { type ColumnFlags, readColumns, takeArguments } from "../compare/column.js";
import { blankFeeds } from "../doctor/blank.js";
import { addInputFlags, addModelFlags, addSpeechFlags, type CommonFlags, readCount } from "../flags.js";
import { findSources, type InputFlags } from "../input/source.js";
import { addOptionFlags, defaultMethod } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { openModel } from "../model/open.js";
import { asVitrailError, exit, exitCodeOf, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { version } from "../version.js";
import type { RunVerb } from "./verb.js";

interface BenchFlags extends Omit<CommonFlags, "device">, ColumnFlags, InputFlags {
  device?: string;
  rounds?: string;
  tokens?: string;
  imageSize?: string;
  output?: string;
  explains?: string;
}

const devices = ["cpu", "wasm"] as const;

export function benchVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("bench")
    .description("measure a model: forward, explanation, further targets, memory, compile time, patch")
    .argument("[model]", "a .onnx file, a folder with config.json and onnx/, or a Hub id")
    .argument("[input]", "a picture; without one (or --text) inputs are made up from the model's own")
    .option("-m, --methods <names...>", `a b:OPTION=VALUE c or all (default: ${defaultMethod})`)
    .option("--device <list>", `some of ${devices.join(",")} (default: those that are installed)`)
    .option("--threads <n>", "threads of one run")
    .option("--rounds <n>", "how often everything is measured in turns (default: 9)")
    .option("--batch-size <n>", "samples in a made-up input (default: 1)")
    .option("--tokens <n>", "length of a made-up text (default: 128)")
    .option("--image-size <n>", "side of a made-up picture where the model takes any (default: 224)")
    .option("--output <name>", "the model output to explain")
    .option("--explains <name>", "the model input to explain");
  addSpeechFlags(addOptionFlags(addInputFlags(addModelFlags(command))));
  command.action((model: string | undefined, input: string | undefined, flags: BenchFlags) =>
    run(flags as CommonFlags, (terminal) => {
      const { model: name, rest, methods } = takeArguments([model, input], flags);
      return bench(name, rest[0], { ...flags, ...(methods && { methods }) }, terminal);
    }),
  );
}

async function bench(model: string, input: string | undefined, flags: BenchFlags, terminal: Terminal): Promise<number> {
  const columns = readColumns({ ...flags, methods: flags.methods ?? [defaultMethod] });
  const rounds = readCount("rounds", flags.rounds) ?? 9;
  const threads = readCount("threads", flags.threads);
  const chosen = await readDevices(flags.device);
  const files = await openModel(model, flags as CommonFlags, terminal);
  const choice = { ...(flags.output && { output: flags.output }), ...(flags.explains && { explains: flags.explains }) };
  const feeds = await feedsOf(input, flags, files, choice);
  const providers: ProviderFigures[] = [];
  const failures: { method: string; device: string; error: unknown }[] = [];
  for (const device of chosen) {
    const common = { file: files.file, feeds, rounds, runtime: { device, ...(threads !== undefined && { threads }) } };
    const plain = await terminal.busy(`${device}: forward`, () => measurePlain({ ...common, compile: {} }));
    const methods: ProviderFigures["methods"][number][] = [];
    for (const { name, method, options } of columns) {
      try {
        const compile = { method: method.id, ...choice, ...options };
        const figures = await terminal.busy(`${device}: ${name}`, () => measureMethod({ ...common, compile }));
        methods.push({ name, ...figures });
      } catch (error) {
        failures.push({ method: name, device, error });
      }
    }
    providers.push({ device, plain, methods });
  }
  const machine = {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    node: process.versions.node,
    vitrail: version,
    threads: threads ?? null,
    rounds,
  };
  const shapes = Object.entries(feeds).map(([name, { type, dims }]) => ({ name, type, dims }));
  if (flags.json) {
    const failed = failures.map(({ method, device, error }) => {
      return { method, device, diagnostics: asVitrailError(error).diagnostics };
    });
    terminal.json({
      model: { name: files.name, file: files.file },
      inputs: shapes,
      machine,
      ...benchRows(providers),
      failures: failed,
    });
  } else {
    for (const line of benchLines(files.name, shapes, providers, machine, terminal.colors)) terminal.print(line);
  }
  for (const { method, device, error } of failures)
    terminal.complain(
      `${terminal.colors.red("not measured")} ${method} on ${device}\n${asVitrailError(error).message}`,
    );
  const measured = providers.some(({ methods }) => methods.length > 0);
  return failures.length === 0 ? exit.done : measured ? exit.partly : exitCodeOf(failures[0]!.error);
}

/** All that are installed, unless some are asked for. */
async function readDevices(text: string | undefined): Promise<readonly (typeof devices)[number][]> {
  if (text === undefined) {
    const there = await Promise.all(
      [import("onnxruntime-node"), import("onnxruntime-web")].map((runtime) =>
        runtime.then(() => true).catch(() => false),
      ),
    );
    return devices.filter((_, index) => there[index]);
  }
  const wanted = text.split(",").map((part) => part.trim());
  const wrong = wanted.filter((name) => !(devices as readonly string[]).includes(name));
  if (wrong.length === 0) return devices.filter((device) => wanted.includes(device));
  throw problem("E080", { at: `--device ${text}`, why: `there is no ${wrong.join(", ")}`, try: devices.join(",") });
}

/** A picture or text that was given, else what the model's inputs say. */
async function feedsOf(
  input: string | undefined,
  flags: BenchFlags,
  files: ModelFiles,
  choice: { output?: string; explains?: string },
): Promise<Feeds> {
  // What the inputs are does not depend on the method; one that needs no attention finds them in every model.
  const { metadata, ...report } = inspect(await readFile(files.file), { method: "gradient-x-input", ...choice });
  const explains = metadata?.explains ?? flags.explains ?? report.inputs[0]?.name ?? "";
  if (input === undefined && !flags.text && !flags.textFile && !flags.tensors) {
    return blankFeeds(
      { inputs: report.inputs },
      {
        batch: readCount("batch-size", flags.batchSize) ?? 1,
        tokens: readCount("tokens", flags.tokens) ?? 128,
        size: readCount("image-size", flags.imageSize) ?? 224,
      },
    );
  }
  const findings = { ...report, metadata: { ...metadata, explains } } as Parameters<typeof findSources>[2];
  const [source] = await findSources(input === undefined ? [] : [input], flags, findings, files);
  const [sample] = await source!.load();
  return sample!.parts[0]!;
}
