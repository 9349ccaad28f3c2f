/** The flags of `evaluate` and `diff`, and the request that they make. */
import { plantedSets } from "@vitrail/evaluation";
import { type Command, Option } from "commander";
import { addFromFlag, type CommonFlags, collect, readCount, readDevice } from "../flags.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { chooseMethods, methodHelp } from "./choose.js";
import { formats } from "./formats.js";
import type { Request } from "./prepare.js";

export interface EvaluationFlags extends CommonFlags {
  data: string;
  dataFormat?: string;
  images?: string;
  split?: string;
  positions?: "utf-16" | "code-points";
  skipBroken?: boolean;
  methods?: string[];
  metrics?: string[];
  target: "labels" | "predicted";
  only?: string[];
  limit?: string;
  seed: string;
  workers?: string;
  out: string;
  fresh?: boolean;
  retry?: boolean;
  gallery: string;
  failIf?: string[];
  against?: string;
  pairs?: boolean;
  output?: string;
  from?: "logit" | "probability";
  explains?: string;
  readout?: string;
}

export function addEvaluationFlags(command: Command, out: string): Command {
  return addFromFlag(command)
    .requiredOption("--data <data>", `a file, a folder, or ${Object.keys(plantedSets).join(", ")}`)
    .option("-m, --methods <names...>", methodHelp)
    .option("--limit <n>", "only so many pictures or texts, chosen by the seed")
    .option("--seed <n>", "where random numbers start", "0")
    .addOption(
      new Option("--target <which>", "the class that is explained").choices(["labels", "predicted"]).default("labels"),
    )
    .option("--only <class>", "only cases of this class; repeatable", collect)
    .addOption(
      new Option("--data-format <id>", "how to read the data (default: found out)").choices(
        formats.map(({ id }) => id),
      ),
    )
    .option("--images <folder>", "where the pictures of a COCO file lie")
    .option("--split <name>", "which split of an ERASER folder (default: test)")
    .addOption(
      new Option("--positions <unit>", "what text spans count (default: utf-16)").choices(["utf-16", "code-points"]),
    )
    .option("--skip-broken", "go on without rows that cannot be used; they are counted")
    .option("-o, --out <folder>", "where results are kept and the report is written", out)
    .option("--workers <n>", "threads that measure (default: what memory and processors allow); changes no result")
    .option("--fresh", "forget the results in the folder and start over")
    .option("--retry", "measure cases that failed once more")
    .option("--gallery <n>", "best and worst samples of each method in the report", "2")
    .option(
      "--fail-if <gate>",
      'end with code 5 where it holds: "pointing-game<0.6", "pointing-game.low<0.6", "srg@le-grad<before-0.1"; repeatable',
      collect,
    )
    .option("--against <file>", "summary.json of a former run, which gates call before")
    .option("--pairs", "compare every two methods as well (pairs.csv), not only the best with the rest")
    .option("--output <name>", "the model output to explain")
    .option("--explains <name>", "the model input to explain")
    .option("--readout <tokens>", "which tokens the head reads: index:K, mean or mean:FROM:TO");
}

export function readRequest(model: ModelFiles, flags: EvaluationFlags): Request {
  const { data: spec, dataFormat, images, split, positions, skipBroken = false, target, only } = flags;
  const { output, from, explains, readout } = flags;
  const seed = readNumber("seed", flags.seed);
  const limit = readCount("limit", flags.limit);
  return {
    model,
    data: {
      spec,
      seed,
      skipBroken,
      ...(dataFormat !== undefined && { format: dataFormat }),
      ...(images !== undefined && { images }),
      ...(split !== undefined && { split }),
      ...(positions && { positions }),
      ...(limit !== undefined && { limit }),
    },
    choice: { target, ...(only && { only }) },
    methods: chooseMethods(flags.methods, seed),
    metrics: flags.metrics,
    seed,
    batchSize: readCount("batch-size", flags.batchSize) ?? 16,
    opening: {
      threads: 1,
      ...readDevice(flags),
      ...(output !== undefined && { output }),
      ...(from !== undefined && { from }),
      ...(explains !== undefined && { explains }),
      ...(readout !== undefined && { readout }),
    },
    workers: readCount("workers", flags.workers),
  };
}

/** A whole number from 0 on. */
export function readNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw problem("E080", { at: `--${name} ${text}`, why: "it is not a whole number", try: `--${name} 0` });
}
