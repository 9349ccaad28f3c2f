/**
 * The tables of figures in the README and on the models' cards: every registered method on the data that ship, measured by
 * `vitrail evaluate` itself, so that anybody can run one of these commands alone.
 *
 *     npm run tables -- [planted-shapes blood-cells ...] [--resume | --write] [--limit 20 --workers 1 ...]
 *
 * Without names all tables are made. Methods of many runs cost hundreds of forwards a map and are measured on fewer samples; their
 * figures are marked. Results lie in out/tables; `--resume` goes on with what an earlier run left there, `--write` measures
 * nothing and writes the tables from it. Further flags are those of `vitrail evaluate`; the commands below the tables say what was run.
 *
 * The planted tables took 21 minutes of processor time on AMD EPYC. By the same rates the others take some 40 more: all in all about
 * half an hour on two free cores.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { methods } from "../packages/vitrail/dist/index.js";
import { replaceBetween } from "./docs.js";

const root = new URL("../", import.meta.url);

/** What is measured: the arguments of `vitrail evaluate`, and how many samples for methods of one run and of many. */
const pictureMetrics = ["pointing-game", "average-precision", "energy-in-boxes", "srg:steps=16"];
const RUNS = {
  "planted-shapes": evaluate("planted-shapes", "planted-shapes", [...pictureMetrics, "class-sensitivity:others=1"], {
    "one-run": 55,
    "many-runs": 12,
  }),
  "planted-shortcut": evaluate("planted-shortcut", "planted-shortcut", pictureMetrics, {
    "one-run": 100,
    "many-runs": 20,
  }),
  "planted-sentences": evaluate(
    "planted-sentences",
    "planted-sentences",
    ["token-f1", "average-precision", "srg", "class-sensitivity:others=1"],
    { "one-run": 120, "many-runs": 60 },
  ),
  "blood-cells, WBC": bloodCells("WBC"),
  "blood-cells, Platelets": bloodCells("Platelets"),
  "toxic-sentences": evaluate(
    "toxic-sentences",
    "models/toxic-sentences/test-split --only 1",
    ["token-f1", "average-precision", "srg"],
    { "one-run": undefined, "many-runs": 80 },
  ),
  "toxic-sentences, flagged": evaluate("toxic-sentences", "models/toxic-sentences/flagged", ["average-precision"], {
    "one-run": undefined,
    "many-runs": 40,
  }),
};

function evaluate(model, data, metrics, limits) {
  const parts = Object.entries(limits).map(([cost, limit]) => ({
    cost,
    command: `evaluate models/${model} --data ${data} --metrics ${metrics.join(" ")} --seed 0 --methods ${cost}${limit === undefined ? "" : ` --limit ${limit}`}`,
  }));
  return { metrics, parts };
}

function bloodCells(label) {
  const data = `models/blood-cells/test-split --only ${label}`;
  return evaluate("blood-cells", data, ["pointing-game", "energy-in-boxes"], {
    "one-run": undefined,
    "many-runs": 100,
  });
}

/** Where figures stand. A column is a title, a run and a metric of it. */
const bloodColumns = ["WBC", "Platelets"].flatMap((label) => [
  [`${label}: pointing`, `blood-cells, ${label}`, "pointing-game"],
  [`${label}: mass / area`, `blood-cells, ${label}`, "energy-in-boxes"],
]);
const TABLES = [
  {
    marker: "planted",
    file: "README.md",
    columns: [
      ["shapes: pointing", "planted-shapes", "pointing-game"],
      ["shapes: AP", "planted-shapes", "average-precision"],
      ["shapes: SRG", "planted-shapes", "srg:steps=16"],
      ["shapes: class", "planted-shapes", "class-sensitivity:others=1"],
      ["shortcut: pointing", "planted-shortcut", "pointing-game"],
      ["sentences: F1", "planted-sentences", "token-f1"],
      ["sentences: AP", "planted-sentences", "average-precision"],
    ],
  },
  { marker: "blood-cells", file: "README.md", columns: bloodColumns },
  { marker: "relevance-table", file: "models/blood-cells/README.md", columns: bloodColumns },
  {
    marker: "relevance-table",
    file: "models/toxic-sentences/README.md",
    columns: [
      ...RUNS["toxic-sentences"].metrics.map((metric) => [`\`${metric}\``, "toxic-sentences", metric]),
      ["flagged: `average-precision`", "toxic-sentences, flagged", "average-precision"],
    ],
  },
  ...["planted-shapes", "planted-shortcut", "planted-sentences"].map((run) => ({
    marker: "relevance-table",
    file: `models/${run}/README.md`,
    columns: RUNS[run].metrics.map((metric) => [`\`${metric}\``, run, metric]),
  })),
];

const asked = process.argv.slice(2).filter((text) => text !== "--resume" && text !== "--write");
const [resume, write] = ["--resume", "--write"].map((flag) => process.argv.includes(flag));
const firstFlag = asked.findIndex((text) => text.startsWith("--"));
const [names, flags] = firstFlag < 0 ? [asked, []] : [asked.slice(0, firstFlag), asked.slice(firstFlag)];
const isWanted = (run) => names.length === 0 || names.some((name) => run.startsWith(name));
const summaries = new Map();

/** What one command measured; of runs that are not wanted, what an earlier one left, if there is any. */
function summaryOf(run, { cost, command }) {
  const folder = `out/tables/${run.replace(/\W+/g, "-").toLowerCase()}-${cost}`;
  if (!summaries.has(folder)) {
    if (isWanted(run) && !write) perform(run, command, folder);
    const path = new URL(`${folder}/summary.json`, root);
    summaries.set(folder, existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined);
  }
  return summaries.get(folder);
}

function perform(run, command, folder) {
  console.log(`vitrail ${command}`);
  const quiet = ["-o", folder, "--gallery", "0", ...(resume ? [] : ["--fresh"])];
  const given = flags.filter((text) => text.startsWith("--"));
  const own = given.reduce((text, flag) => text.replace(new RegExp(` ${flag}( (?!--)\\S+)+`), ""), command);
  const vitrail = fileURLToPath(new URL("packages/cli/bin/vitrail.js", root));
  const { status } = spawnSync(process.execPath, [vitrail, ...own.split(" "), ...flags, ...quiet], {
    cwd: fileURLToPath(root),
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`"${run}" ended with code ${status}`);
}

/** The parts of a run that were measured. */
const measuredOf = (run) =>
  RUNS[run].parts.flatMap((part) => {
    const summary = summaryOf(run, part);
    return summary ? [{ ...part, summary }] : [];
  });

/** A method's figure, of the first part that measured it; baselines are those of the larger part. */
function cellOf(run, metric, method) {
  for (const { cost, summary } of measuredOf(run)) {
    const cell = summary.cells.find((one) => one.metric === metric && one.method === method);
    if (cell) return { ...cell, cost };
  }
  return undefined;
}

/** Methods down, columns across; the interval's half width behind each figure. */
function table(columns) {
  const runs = [...new Set(columns.map(([, run]) => run))];
  const found = columns.map(([title, run, metric]) => ({ title, run, metric }));
  const head = found.map(({ title, run, metric }) => {
    const { direction } = measuredOf(run)[0].summary.metrics.find(({ name }) => name === metric);
    return `${title} ${direction === "up" ? "↑" : "↓"}`;
  });
  const rows = methodsOf(runs).flatMap((method) => {
    const cells = found.map(({ run, metric }) => cellOf(run, metric, method));
    if (cells.every((cell) => cell === undefined)) return [];
    const name = cells.some((cell) => cell?.baseline) ? `*${method}*` : `\`${method}\``;
    return [`| ${[name, ...cells.map(cellText)].join(" | ")} |`];
  });
  const notes = runs.flatMap((run) =>
    measuredOf(run).map(({ cost, summary: { cases, header } }) => {
      const command = header.command.replace(/ -o .*| --workers \d+/g, "");
      return `- ${run}${cost === "many-runs" ? " §" : ""}: n = ${cases}, seed ${header.seed}, \`npx ${command}\`; ${stampOf(header)}`;
    }),
  );
  return [
    `| method | ${head.join(" | ")} |`,
    `|---|${head.map(() => "--:").join("|")}|`,
    ...rows,
    "",
    "± half of the 95 % interval over pictures or texts (docs/evaluation.md); † not better than a random map on the same cases (after Holm’s correction); ‡ one map for every class; § a method of many runs, on fewer cases.",
    "",
    ...(twins(found) ? [TWINS, ""] : []),
    ...notes,
  ].join("\n");
}

/** What made the figures: first digits of the hashes of model and data, and the version of the code. */
const stampOf = (header) =>
  `model ${header["model sha256"].slice(0, 12)}, data ${header["data sha256"].slice(0, 12)}, vitrail ${header.vitrail}`;

const TWINS =
  "`cp-lrp` and `libra-grad` have equal rows because they are one rule as they stand here: both hold attention weights, the deviations of norms and the gates of activations constant and multiply the gradient at the input by the input. They differ with `libra-grad:full=true`, which adds what biases and inner layers contribute.";

/** Whether both stand in the table. */
const twins = (found) =>
  ["cp-lrp", "libra-grad"].every((method) => found.some(({ run, metric }) => cellOf(run, metric, method)));

/** In the registry's order; baselines, which are in every run, last. */
function methodsOf(runs) {
  const seen = new Set(runs.flatMap((run) => measuredOf(run).flatMap(({ summary }) => summary.methods)));
  const order = methods.map(({ id }) => id).filter((id) => id !== "random");
  return [...order.filter((id) => seen.has(id)), ...[...seen].filter((id) => !order.includes(id))];
}

function cellText(cell) {
  if (!cell) return "";
  const digits = (value) => value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
  const marks = [
    !cell.baseline && cell.versusRandom && !cell.versusRandom.better ? "†" : "",
    !cell.baseline && cell.notes["not class-specific"] === cell.n ? "‡" : "",
    !cell.baseline && cell.cost === "many-runs" ? "§" : "",
  ];
  return `${digits(cell.value)} ± ${digits((cell.high - cell.low) / 2)}${marks.join("")}`;
}

for (const { marker, file, columns } of TABLES) {
  const runs = [...new Set(columns.map(([, run]) => run))];
  if (!runs.some(isWanted)) continue;
  const known = columns.filter(([, run]) => measuredOf(run).length > 0);
  const missing = runs.filter((run) => measuredOf(run).length === 0).map((run) => `- ${run}: not measured in this run`);
  const url = new URL(file, root);
  writeFileSync(url, replaceBetween(readFileSync(url, "utf8"), marker, [table(known), ...missing].join("\n")));
  console.log(`${file}: ${marker}`);
}
