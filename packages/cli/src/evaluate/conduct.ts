/** A whole evaluation: results that go on where they stopped, figures, files, gates, and the exit code. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BrokenRow,
  baselines,
  distinctFailures,
  type EvaluationSummary,
  failedGates,
  type Gate,
  type LineStore,
  openResults,
  pairsCsv,
  type ResultRow,
  type Results,
  report,
  schema,
  summariseResults,
  summaryCsv,
} from "@vitrail/evaluation";
import { diskStore } from "@vitrail/evaluation/node";
import { VitrailError } from "vitrail";
import { prettyJson } from "../output/json.js";
import { lockFolder } from "../output/lock.js";
import { writeWhole } from "../output/write.js";
import { exit, messageOf, problem, systemMessage } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { version } from "../version.js";
import { Crew } from "./crew.js";
import { type Finding, findingOf } from "./finding.js";
import { type EvaluationFlags, readNumber } from "./flags.js";
import { galleryOf } from "./gallery.js";
import { type Ended, measureAll } from "./measure.js";
import type { Prepared } from "./prepare.js";
import { saySummary } from "./say.js";

/** What a former run wrote: a summary, and of a comparison what it found. */
export type FormerSummary = EvaluationSummary & Pick<EvaluationDocument, "finding">;

export interface Conduct {
  readonly flags: EvaluationFlags;
  readonly gates: readonly Gate[];
  /** The summary of a former run that gates are held against. */
  readonly before?: FormerSummary;
  /** What was typed. */
  readonly command: string;
  readonly title?: string;
}

/** What summary.json and standard output hold: the figures, what was left out, and how it ended. */
export interface EvaluationDocument extends EvaluationSummary {
  readonly brokenRows: { readonly total: number; readonly rows: readonly BrokenRow[] };
  readonly leftOut: Prepared["leftOut"];
  readonly cut: boolean;
  /** What a comparison of two models found. */
  readonly finding?: Finding;
  readonly gates: readonly { readonly gate: string; readonly failed: readonly string[] }[];
}

export async function conduct(
  prepared: Prepared,
  { flags, gates, before, command, title }: Conduct,
  terminal: Terminal,
): Promise<number> {
  checkGates(gates, prepared, before);
  const { colors } = terminal;
  const count = readNumber("gallery", flags.gallery);
  const { results, close } = await openStore(prepared, flags);
  for (const { method, why } of prepared.leftOut) terminal.note(`${method} is left out: ${why}`);
  const crew = new Crew(prepared.setup, prepared.workers);
  try {
    const ended = await measureAll(prepared, crew, results, terminal);
    const summary = summaryOf(prepared, results, command, flags);
    const finding = prepared.setup.second && findingOf(rowsOf(prepared, results), summary, before?.finding);
    const document = { ...documentOf(prepared, summary, ended, gates, before), ...(finding && { finding }) };
    const gallery = ended.interrupted ? [] : await galleryOf(crew, summary, results.rows, count);
    const files = {
      "summary.json": `${prettyJson(document)}\n`,
      "summary.csv": summaryCsv(summary),
      ...(summary.pairs && { "pairs.csv": pairsCsv(summary) }),
      "report.html": report(summary, {
        gallery,
        broken: document.brokenRows.rows,
        ...(title !== undefined && { title }),
        ...(finding && { lead: finding.sentence }),
      }),
    };
    for (const [name, content] of Object.entries(files)) await writeWhole(join(flags.out, name), content);
    if (flags.json) terminal.json(document);
    if (finding) terminal.say(colors.bold(finding.sentence));
    saySummary(summary, terminal);
    sayEnd(
      document,
      ended,
      ["results.jsonl", ...Object.keys(files)].map((name) => join(flags.out, name)),
      terminal,
    );
    if (document.gates.some(({ failed }) => failed.length > 0)) return exit.threshold;
    if (!summary.cells.some(({ baseline }) => !baseline)) {
      terminal.complain(colors.red("nothing was measured: the table has no figure of any method"));
      return exit.partly;
    }
    return ended.interrupted || summary.failures.length > 0 ? exit.partly : exit.done;
  } finally {
    await crew.close();
    close();
  }
}

/** What a gate speaks of must be measured: a name that is not is found before hours are spent. */
function checkGates(gates: readonly Gate[], { setup }: Prepared, before: EvaluationSummary | undefined): void {
  const methods = setup.methods.map(({ name }) => name);
  const known = [...methods, ...baselines.map(({ id }) => id)];
  for (const { text, metric, method, fromBefore } of gates) {
    const wrong = (why: string, hint: string) => problem("E080", { at: `--fail-if ${text}`, why, try: hint });
    if (!setup.metrics.includes(metric))
      throw wrong(
        `"${metric}" is not measured in this run`,
        `--metrics ${metric}, or one of ${setup.metrics.join(", ")}`,
      );
    if (method !== undefined && !known.includes(method))
      throw wrong(`the method "${method}" is not measured in this run`, `one of ${methods.join(", ")}`);
    if (fromBefore && !before) throw wrong("there is nothing before", "--against SUMMARY.json of a former run");
  }
}

/** A summary that a former run wrote. */
export async function readSummary(path: string | undefined): Promise<FormerSummary | undefined> {
  if (path === undefined) return undefined;
  try {
    const read = JSON.parse(await readFile(path, "utf8")) as FormerSummary;
    if (read.schema !== schema || !Array.isArray(read.cells)) throw new Error(`it is no summary of ${schema}`);
    return read;
  } catch (error) {
    throw problem("E051", { at: `--against ${path}`, why: messageOf(error), try: "summary.json of a former run" });
  }
}

async function openStore({ setup, data, sha256, secondSha256 }: Prepared, { out, fresh, retry }: EvaluationFlags) {
  const path = join(out, "results.jsonl");
  const unlock = lockFolder(out);
  const { store, close } = await openLines(path, fresh === true).catch((error: unknown) => {
    unlock();
    throw unwritten(path, error);
  });
  const { seed, batchSize, opening, choice } = setup;
  const held = secondSha256 !== undefined && {
    "held against": secondSha256,
    ...(setup.secondInt8 && { "held against int8": setup.secondInt8 }),
  };
  const settings = {
    model: sha256,
    ...held,
    data: data.fingerprint,
    target: choice.target,
    seed,
    batchSize,
    ...opening,
  };
  const closeAll = () => {
    close();
    unlock();
  };
  try {
    return { results: await openResults(store, settings, { retry: retry === true }), close: closeAll };
  } catch (error) {
    closeAll();
    if (error instanceof VitrailError) throw error;
    throw problem("E080", { at: `-o ${out}`, why: messageOf(error), try: "another -o FOLDER, or --fresh" });
  }
}

/** The rows of the cases that were asked for; the folder may hold those of a larger run. */
function rowsOf({ cases }: Prepared, { rows }: Results): ResultRow[] {
  const wanted = new Set(cases.refs.map(({ id }) => id));
  return rows.filter((row) => wanted.has(row.case));
}

async function openLines(path: string, fresh: boolean): Promise<{ store: LineStore; close: () => void }> {
  if (fresh) await rm(path, { force: true });
  const { load, append, close } = diskStore(path);
  const write = (line: string) =>
    append(line).catch((error: unknown) => {
      throw unwritten(path, error);
    });
  return { store: { load, append: write }, close };
}

const unwritten = (path: string, error: unknown): VitrailError =>
  problem("E085", {
    at: path,
    why: systemMessage(error),
    try: "mend that and run the same command again: what is measured is kept, and it goes on from there",
  });

function summaryOf(
  prepared: Prepared,
  results: Results,
  command: string,
  { pairs = false }: EvaluationFlags,
): EvaluationSummary {
  const { setup, metrics, data, cases, scaled, sha256, secondSha256 } = prepared;
  const { model, second, methods, seed } = setup;
  return summariseResults(rowsOf(prepared, results), {
    metrics,
    methods: methods.map(({ name }) => name),
    seed,
    pairs,
    header: {
      command,
      model: model.name,
      "model sha256": sha256,
      ...(second && { "held against": second.name, "held against sha256": `${secondSha256}` }),
      data: `${data.name} (${data.format}): ${data.samples.length} of ${data.total} samples, ${cases.refs.length} cases`,
      "data sha256": data.fingerprint,
      "broken rows": data.broken.length + cases.broken.length,
      ...(data.notes && { notes: data.notes.join("; ") }),
      ...(scaled > 0 && { "scaled truth": `${scaled} pictures are not of the size of their masks or boxes` }),
      seed,
      vitrail: version,
      node: process.versions.node,
    },
  });
}

function documentOf(
  { data, cases, leftOut }: Prepared,
  summary: EvaluationSummary,
  { interrupted }: Ended,
  gates: readonly Gate[],
  before: EvaluationSummary | undefined,
): EvaluationDocument {
  return {
    ...summary,
    brokenRows: { total: data.total, rows: [...data.broken, ...cases.broken] },
    leftOut,
    cut: interrupted,
    gates: gates.map((gate) => ({ gate: gate.text, failed: failedGates(summary, [gate], before) })),
  };
}

function sayEnd(document: EvaluationDocument, ended: Ended, files: readonly string[], terminal: Terminal): void {
  const { colors } = terminal;
  const { brokenRows, failures, gates } = document;
  if (ended.before > 0) terminal.say(`${ended.before} cases were measured before`);
  if (brokenRows.rows.length > 0) {
    terminal.say(
      colors.yellow(`${brokenRows.rows.length} of ${brokenRows.total} rows of the data are broken and were left out`),
    );
    for (const { file, at, reason } of brokenRows.rows.slice(0, 10))
      terminal.note(`  ${file}${at === undefined ? "" : `:${at}`}  ${reason}`);
  }
  const failed = distinctFailures({ failures });
  for (const line of failed.slice(0, 10)) terminal.complain(`${colors.red("failed")} ${line}`);
  if (failed.length > 10) terminal.complain(`and ${failed.length - 10} more`);
  for (const line of gates.flatMap(({ failed }) => failed)) terminal.complain(colors.red(`gate ${line}`));
  for (const file of files) terminal.say(colors.dim(`→ ${file}`));
}
