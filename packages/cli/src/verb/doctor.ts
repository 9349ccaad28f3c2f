import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { inspect, originalBytes, saturatingWeights } from "vitrail";
import { createExplainer } from "vitrail/node";
import { blankFeeds } from "../doctor/blank.js";
import { type Check, examineMachine } from "../doctor/machine.js";
import { compareAnswers, SAME, sameAnswer } from "../doctor/same-answer.js";
import { addModelFlags, addRunFlags, addSpeechFlags, type CommonFlags, readDevice } from "../flags.js";
import { openModel } from "../model/open.js";
import { exit } from "../problem.js";
import { reportLines } from "../report.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

export function doctorVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("doctor")
    .description("check this machine, and a model on it")
    .argument("[model]", "a .onnx file, a folder with config.json and onnx/, or a Hub id");
  addSpeechFlags(addRunFlags(addModelFlags(command)));
  command.action((model: string | undefined, flags: CommonFlags) =>
    run(flags, (terminal) => examine(model, flags, terminal)),
  );
}

async function examine(model: string | undefined, flags: CommonFlags, terminal: Terminal): Promise<number> {
  const machine = await examineMachine();
  if (!flags.json) printChecks("machine", machine, terminal);
  const examined = model === undefined ? undefined : await examineModel(model, flags, terminal);
  if (flags.json) terminal.json({ machine, ...(examined && { model: examined.json }) });
  return examined?.code ?? (machine.some(({ ok, needed }) => needed && !ok) ? exit.partly : exit.done);
}

/** What was found in the model, and whether a run on blank input gives finite numbers. */
async function examineModel(model: string, flags: CommonFlags, terminal: Terminal) {
  const files = await openModel(model, flags, terminal);
  const { print: _, ...findings } = inspect(await readFile(files.file));
  const unsupported = findings.diagnostics.some(({ kind }) => kind === "unsupported");
  const checks = unsupported ? [] : await tryModel(files.file, flags);
  if (!flags.json) {
    terminal.print("");
    for (const line of reportLines(findings, files, terminal.colors)) terminal.print(line);
    if (checks.length > 0) printChecks("\nrun on blank input", checks, terminal);
  }
  const failed = checks.some(({ ok }) => !ok);
  return {
    json: { name: files.name, file: files.file, ...findings, checks },
    code: unsupported ? exit.unsupported : failed ? exit.partly : exit.done,
  };
}

async function tryModel(file: string, flags: CommonFlags): Promise<Check[]> {
  const time = async <T>(task: () => Promise<T>): Promise<[T, string]> => {
    const start = performance.now();
    const result = await task();
    return [result, `${(performance.now() - start).toFixed(0)} ms`];
  };
  const [explainer, opened] = await time(() => createExplainer(file, readDevice(flags)));
  try {
    const feeds = blankFeeds(explainer.findings);
    await explainer.predict(feeds);
    const [, predicted] = await time(() => explainer.predict(feeds));
    await explainer.explain(feeds, { target: undefined });
    const [explanation, explained] = await time(() => explainer.explain(feeds));
    const same = await compareAnswers(explainer);
    const signed = saturatingWeights(originalBytes(await readFile(file))).length;
    const finite = explanation.toTokens().every(Number.isFinite);
    return [
      { name: "open", ok: true, detail: opened },
      { name: "predict", ok: true, detail: predicted },
      { name: "explain", ok: true, detail: explained },
      { name: "finite", ok: finite, detail: finite ? "every value is a number" : "some values are not finite" },
      { name: "same answer", ok: same.apart <= SAME, detail: sameAnswer(same) },
      {
        name: "8-bit sums",
        ok: true,
        detail:
          signed === 0
            ? "none that saturate"
            : `${signed} signed weights, without reduce_range: on processors that saturate it answers otherwise; --int8 exact gives the same on all`,
      },
    ];
  } finally {
    await explainer.close();
  }
}

function printChecks(title: string, checks: readonly Check[], terminal: Terminal): void {
  const { colors } = terminal;
  terminal.print(colors.bold(title));
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, ok, needed, detail } of checks) {
    const mark = ok ? colors.green("✓") : needed ? colors.red("✗") : colors.yellow("–");
    terminal.print(`  ${mark} ${name.padEnd(width)}  ${detail}`);
  }
}
