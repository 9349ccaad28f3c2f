import { type Command, Option } from "commander";
import { type Execution, executionOf, type Int8, type Optimisation } from "vitrail/node";
import { meanings } from "./input/meanings.js";
import { dtypes } from "./model/choose.js";
import { problem } from "./problem.js";

/** For flags that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** The flags that several verbs share. */
export interface CommonFlags {
  json?: boolean;
  quiet?: boolean;
  color?: boolean;
  verbose?: boolean;
  dtype?: keyof typeof dtypes;
  labels?: string;
  revision?: string;
  input?: string[];
  device?: "cpu" | "wasm";
  threads?: string;
  lowMemory?: boolean;
  optimisation?: Optimisation;
  int8?: Int8;
  batchSize?: string;
}

export function addSpeechFlags(command: Command): Command {
  return command
    .option("--json", "one JSON document on standard output, everything else on standard error")
    .option("-q, --quiet", "say nothing but errors")
    .option("--verbose", "say more, also where an error comes from")
    .option("--no-color", "no colours");
}

export function addModelFlags(command: Command): Command {
  return command
    .addOption(new Option("--dtype <dtype>", "which of a folder's models").choices(Object.keys(dtypes)))
    .option("--labels <file>", "class names: JSON, or one per line")
    .option("--revision <name>", "branch, tag or commit of a Hub model");
}

/** For verbs that make a model's inputs out of pictures and texts. */
export const addMeaningFlag = (command: Command): Command =>
  command.option("--input <name=what>", `what an input holds: ${meanings.join(", ")}; repeatable`, collect);

export function addInputFlags(command: Command): Command {
  return addMeaningFlag(command)
    .option("--text <text>", "a text to explain; repeatable", collect)
    .option("--text-pair <text>", "the second text of a pair, one for each --text; repeatable", collect)
    .option("--text-file <file>", "one text per line, or .jsonl with text and text_pair")
    .option("--prompt <text>", "a text to compare pictures with; repeatable: one map each", collect)
    .option("--prompt-file <file>", "one prompt per line")
    .addOption(new Option("--unit <unit>", "what a text's values are shown for").choices(["token", "word", "sentence"]))
    .addOption(
      new Option("--combine <way>", "its value: that of the strongest token, or their sum").choices(["max", "sum"]),
    )
    .option("--tensors <file>", "inputs as .safetensors, named like the model's inputs");
}

export function addRunFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--device <device>", "cpu, or wasm where there is no native runtime").choices(["cpu", "wasm"]),
    )
    .option("--threads <n>", "threads of one run")
    .option("--low-memory", "a third less memory, a little slower")
    .addOption(
      new Option("--optimisation <level>", "what the runtime's optimiser may fuse (default: all)").choices([
        "none",
        "basic",
        "all",
      ]),
    )
    .addOption(
      new Option("--int8 <sums>", "sums of 8-bit products: as the processor adds them (default), or exact").choices([
        "fast",
        "exact",
      ]),
    )
    .option("--batch-size <n>", "inputs in one run where their sizes agree (default: 1)");
}

/** Where explanations start. */
export const addFromFlag = (command: Command): Command =>
  command.addOption(
    new Option(
      "--from <start>",
      "where a file ends in a softmax or sigmoid: start at the scores before it (default), or at its probability",
    ).choices(["logit", "probability"]),
  );

/** `--explains A,B`: one input, or several that each get a relevance output of their own. */
export const readNames = (text: string): string[] => text.split(",").map((name) => name.trim());

export function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw problem("E080", { at: `--${name} ${text}`, why: "it is not a whole number above 0", try: `--${name} 4` });
}

/** A type, not an interface: it is given where any options may stand. */
export type Device = {
  device?: "cpu" | "wasm";
  threads?: number;
  lowMemory?: boolean;
  optimisation?: Optimisation;
  int8?: Int8;
};

/** How the numbers are computed, for records. */
export const readExecution = ({
  device = "cpu",
  ...choice
}: Pick<CommonFlags, "device" | "optimisation" | "int8">): Execution => executionOf(device, choice).used;

export function readDevice(flags: CommonFlags): Device {
  const { device, threads, lowMemory, optimisation, int8 } = flags;
  readExecution(flags);
  const count = readCount("threads", threads);
  return {
    ...(device && { device }),
    ...(count !== undefined && { threads: count }),
    ...(lowMemory && { lowMemory }),
    ...(optimisation && { optimisation }),
    ...(int8 && { int8 }),
  };
}
