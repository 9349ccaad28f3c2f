import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { criticalDifferenceChart, type EvaluationSummary, figure, meanRanks, schema } from "@vitrail/evaluation";
import type { Command } from "commander";
import { splitList } from "../evaluate/choose.js";
import type { CommonFlags } from "../flags.js";
import { writeWhole } from "../output/write.js";
import { exit, messageOf, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

interface RankFlags extends CommonFlags {
  metrics?: string[];
  out?: string;
}

export function rankVerb(program: Command, run: RunVerb): void {
  program
    .command("rank")
    .description("mean ranks of methods over several evaluations, and which of them are told apart")
    .argument("<summary...>", "summary.json of evaluations: other models, other data")
    .option("--metrics <names...>", "only these (default: all but those of cost)")
    .option("-o, --out <file>", "the critical-difference plot, as SVG")
    .option("--json", "print one JSON document")
    .option("-q, --quiet", "say only what was asked for")
    .action((paths: string[], flags: RankFlags) => run(flags, (terminal) => rank(paths, flags, terminal)));
}

async function rank(paths: readonly string[], flags: RankFlags, terminal: Terminal): Promise<number> {
  const named = await Promise.all(
    paths.map(async (path) => ({ name: nameOf(path), summary: await readSummary(path) })),
  );
  const found = meanRanks(named, flags.metrics && splitList(flags.metrics));
  if (found.methods.length < 2 || found.over.length < 2) {
    const why = `${found.methods.length} methods are in all of them, and ${found.over.length} columns have a figure of each`;
    throw problem("E052", { at: paths.join(", "), why, try: "evaluations of the same methods and metrics" });
  }
  if (flags.out !== undefined) await writeWhole(flags.out, criticalDifferenceChart(found));
  if (flags.json) terminal.json(found);
  const width = Math.max(...found.methods.map(({ method }) => method.length));
  for (const { method, rank } of found.methods) terminal.say(`${method.padEnd(width)}  ${figure(rank)}`);
  const { friedman, criticalDifference, over, leftOut } = found;
  terminal.say(
    `mean ranks over ${over.length} columns; Friedman p ${friedman.p < 0.001 ? "< 0.001" : `= ${figure(friedman.p)}`}; mean ranks closer than ${figure(criticalDifference)} are not told apart (Nemenyi, 95 %)`,
  );
  for (const line of leftOut) terminal.note(`left out: ${line}`);
  if (flags.out !== undefined) terminal.say(terminal.colors.dim(`→ ${flags.out}`));
  return exit.done;
}

const nameOf = (path: string): string => (basename(path) === "summary.json" ? basename(dirname(path)) : basename(path));

async function readSummary(path: string): Promise<EvaluationSummary> {
  try {
    const read = JSON.parse(await readFile(path, "utf8")) as EvaluationSummary;
    if (read.schema !== schema || !Array.isArray(read.cells)) throw new Error(`it is no summary of ${schema}`);
    return read;
  } catch (error) {
    throw problem("E051", { at: path, why: messageOf(error), try: "summary.json of an evaluation" });
  }
}
