/** A whole evaluation: results that go on where they stopped, figures, files, gates, and the exit code. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BrokenRow,
  distinctFailures,
  type EvaluationSummary,
  failedGates,
  type Gate,
  openResults,
  type Results,
  report,
  summariseResults,
  summaryCsv,
} from "@vitrail/evaluation";
import { diskStore } from "@vitrail/evaluation/node";
import { prettyJson } from "../output/json.js";
import { writeWhole } from "../output/write.js";
import { exit, messageOf, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { version } from "../version.js";
import { Crew } from "./crew.js";
import { type EvaluationFlags, readNumber } from "./flags.js";
import { galleryOf } from "./gallery.js";
import { type Ended, measureAll } from "./measure.js";
import type { Prepared } from "./prepare.js";
import { saySummary } from "./say.js";

export interface Conduct {
  readonly flags: EvaluationFlags;
  readonly gates: readonly Gate[];
  /** What was typed. */
  readonly command: string;
  readonly title?: string;
}

/** What summary.json and standard output hold: the figures, what was left out, and how it ended. */
export interface EvaluationDocument extends EvaluationSummary {
  readonly brokenRows: { readonly total: number; readonly rows: readonly BrokenRow[] };
  readonly leftOut: Prepared["leftOut"];
  readonly cut: boolean;
  readonly gates: readonly { readonly gate: string; readonly failed: readonly string[] }[];
}

export async function conduct(
  prepared: Prepared,
  { flags, gates, command, title }: Conduct,
  terminal: Terminal,
): Promise<number> {
  const count = readNumber("gallery", flags.gallery);
  const { results, close } = await openStore(prepared, flags);
  for (const { method, why } of prepared.leftOut) terminal.note(`${method} is left out: ${why}`);
  const crew = new Crew(prepared.setup, prepared.workers);
  try {
    const ended = await measureAll(prepared, crew, results, terminal);
    const summary = summaryOf(prepared, results, command);
    const document = documentOf(prepared, summary, ended, gates);
    const gallery = ended.interrupted ? [] : await galleryOf(crew, summary, results.rows, count);
    const files = {
      "summary.json": `${prettyJson(document)}\n`,
      "summary.csv": summaryCsv(summary),
      "report.html": report(summary, {
        gallery,
        broken: document.brokenRows.rows,
        ...(title !== undefined && { title }),
      }),
    };
    for (const [name, content] of Object.entries(files)) await writeWhole(join(flags.out, name), content);
    if (flags.json) terminal.json(document);
    saySummary(summary, terminal);
    sayEnd(
      document,
      ended,
      ["results.jsonl", ...Object.keys(files)].map((name) => join(flags.out, name)),
      terminal,
    );
    if (document.gates.some(({ failed }) => failed.length > 0)) return exit.threshold;
    return ended.interrupted || summary.failures.length > 0 ? exit.partly : exit.done;
  } finally {
    await crew.close();
    close();
  }
}

async function openStore({ setup, data, sha256, secondSha256 }: Prepared, { out, fresh, retry }: EvaluationFlags) {
  const path = join(out, "results.jsonl");
  if (fresh) await rm(path, { force: true });
  const store = diskStore(path);
  const { seed, batchSize, opening, choice } = setup;
  const held = secondSha256 !== undefined && { "held against": secondSha256 };
  const settings = {
    model: sha256,
    ...held,
    data: data.fingerprint,
    target: choice.target,
    seed,
    batchSize,
    ...opening,
  };
  try {
    return { results: await openResults(store, settings, { retry: retry === true }), close: store.close };
  } catch (error) {
    store.close();
    throw problem("E080", { at: `-o ${out}`, why: messageOf(error), try: "another -o FOLDER, or --fresh" });
  }
}

function summaryOf(
  { setup, metrics, data, cases, scaled, sha256, secondSha256 }: Prepared,
  { rows }: Results,
  command: string,
): EvaluationSummary {
  const wanted = new Set(cases.refs.map(({ id }) => id));
  const { model, second, methods, seed } = setup;
  return summariseResults(
    rows.filter((row) => wanted.has(row.case)),
    {
      metrics,
      methods: methods.map(({ name }) => name),
      seed,
      header: {
        command,
        model: model.name,
        "model sha256": sha256,
        ...(second && { "held against": second.name, "held against sha256": `${secondSha256}` }),
        data: `${data.name} (${data.format}): ${data.samples.length} of ${data.total} samples, ${wanted.size} cases`,
        "data sha256": data.fingerprint,
        "broken rows": data.broken.length + cases.broken.length,
        ...(data.notes && { notes: data.notes.join("; ") }),
        ...(scaled > 0 && { "scaled truth": `${scaled} pictures are not of the size of their masks or boxes` }),
        seed,
        vitrail: version,
        node: process.versions.node,
      },
    },
  );
}

function documentOf(
  { data, cases, leftOut }: Prepared,
  summary: EvaluationSummary,
  { interrupted }: Ended,
  gates: readonly Gate[],
): EvaluationDocument {
  return {
    ...summary,
    brokenRows: { total: data.total, rows: [...data.broken, ...cases.broken] },
    leftOut,
    cut: interrupted,
    gates: gates.map((gate) => ({ gate: gate.text, failed: failedGates(summary, [gate]) })),
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
