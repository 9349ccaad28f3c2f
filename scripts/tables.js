/**
 * The tables of figures in the README and on the models' cards: every registered method on the data that ship, measured by
 * `vitrail evaluate` itself, so that anybody can run one of these commands alone.
 *
 *     npm run tables -- [planted-shapes blood-cells ...] [--resume] [--limit 20 --methods le-grad ...]
 *
 * Without names all tables are made. Results lie in out/tables; `--resume` goes on with what an earlier run left there. Further flags
 * are those of `vitrail evaluate`; the commands below the tables say what was run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { replaceBetween } from "./docs.js";

const root = new URL("../", import.meta.url);

/** Methods that ask the model once for a map, so that many sentences can be measured. */
const ONE_RUN = [
  ...["transformer-attribution", "generic-attention", "attention-rollout", "raw-attention", "attention-grad-cam"],
  ...["partial-lrp", "lrp", "gradient-x-input", "cp-lrp", "attn-lrp", "res-lrp", "libra-grad", "le-grad"],
];

/** What is measured: the arguments of `vitrail evaluate`. */
const RUNS = {
  "planted-shapes": evaluate("models/planted-shapes", "planted-shapes --limit 30", [
    ...["pointing-game", "average-precision", "energy-in-boxes", "srg:steps=16"],
  ]),
  "planted-shapes, classes": evaluate("models/planted-shapes", "planted-shapes --limit 8", ["class-sensitivity"]),
  "planted-shortcut": evaluate("models/planted-shortcut", "planted-shortcut --limit 40", [
    ...["pointing-game", "average-precision", "energy-in-boxes", "srg:steps=16"],
  ]),
  "planted-sentences": evaluate("models/planted-sentences", "planted-sentences --limit 60", [
    ...["token-f1", "auprc", "srg", "class-sensitivity:others=1"],
  ]),
  "blood-cells, WBC": bloodCells("WBC"),
  "blood-cells, Platelets": bloodCells("Platelets"),
  "toxic-sentences": evaluate(
    "models/toxic-sentences",
    `models/toxic-sentences/test-split --only 1 --methods ${ONE_RUN.join(" ")}`,
    ["token-f1", "auprc"],
  ),
  "toxic-sentences, few": evaluate("models/toxic-sentences", "models/toxic-sentences/test-split --only 1 --limit 80", [
    ...["auprc", "srg"],
  ]),
};

function evaluate(model, data, metrics) {
  return { command: `evaluate ${model} --data ${data} --metrics ${metrics.join(" ")} --seed 0`, metrics };
}

function bloodCells(label) {
  const data = `models/blood-cells/test-split --only ${label}`;
  return evaluate("models/blood-cells", data, ["pointing-game", "energy-in-boxes"]);
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
      ["shapes: class", "planted-shapes, classes", "class-sensitivity"],
      ["shortcut: pointing", "planted-shortcut", "pointing-game"],
      ["sentences: F1", "planted-sentences", "token-f1"],
      ["sentences: AUPRC", "planted-sentences", "auprc"],
    ],
  },
  { marker: "blood-cells", file: "README.md", columns: bloodColumns },
  { marker: "relevance-table", file: "models/blood-cells/README.md", columns: bloodColumns },
  {
    marker: "relevance-table",
    file: "models/toxic-sentences/README.md",
    columns: [
      ["`token-f1`", "toxic-sentences", "token-f1"],
      ["`auprc`", "toxic-sentences", "auprc"],
      ["few: `auprc`", "toxic-sentences, few", "auprc"],
      ["few: `srg`", "toxic-sentences, few", "srg"],
    ],
  },
  ...["planted-shapes", "planted-shortcut", "planted-sentences"].map((run) => ({
    marker: "relevance-table",
    file: `models/${run}/README.md`,
    columns: RUNS[run].metrics.map((metric) => [`\`${metric}\``, run, metric]),
  })),
];

const asked = process.argv.slice(2).filter((text) => text !== "--resume");
const resume = process.argv.includes("--resume");
const firstFlag = asked.findIndex((text) => text.startsWith("--"));
const [names, flags] = firstFlag < 0 ? [asked, []] : [asked.slice(0, firstFlag), asked.slice(firstFlag)];
const isWanted = (run) => names.length === 0 || names.some((name) => run.startsWith(name));
const summaries = new Map();

/** The summary of a run; of runs that are not wanted, what an earlier one left, if there is any. */
function summaryOf(run) {
  if (summaries.has(run)) return summaries.get(run);
  const out = `out/tables/${run.replace(/\W+/g, "-").toLowerCase()}`;
  if (isWanted(run)) {
    console.log(`vitrail ${RUNS[run].command}`);
    const quiet = ["-o", out, "--gallery", "0", ...(resume ? [] : ["--fresh"])];
    const given = flags.filter((text) => text.startsWith("--"));
    const own = given.reduce((text, flag) => text.replace(new RegExp(` ${flag}( (?!--)\\S+)+`), ""), RUNS[run].command);
    const args = [...own.split(" "), ...flags, ...quiet];
    const { status } = spawnSync(
      process.execPath,
      [fileURLToPath(new URL("packages/cli/bin/vitrail.js", root)), ...args],
      {
        cwd: fileURLToPath(root),
        stdio: "inherit",
      },
    );
    if (status !== 0) throw new Error(`"${run}" ended with code ${status}`);
  }
  const path = new URL(`${out}/summary.json`, root);
  const summary = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  summaries.set(run, summary);
  return summary;
}

/** Methods down, columns across; the interval's half width behind each figure. */
function table(columns) {
  const found = columns
    .map(([title, run, metric]) => ({ title, metric, run, summary: summaryOf(run) }))
    .filter(({ metric, summary }) => summary.metrics.some(({ name }) => name === metric));
  const methods = [...new Set(found.flatMap(({ summary }) => summary.methods))];
  const head = found.map(({ title, metric, summary }) => {
    const { direction } = summary.metrics.find(({ name }) => name === metric);
    return `${title} ${direction === "up" ? "↑" : "↓"}`;
  });
  const rows = methods.flatMap((method) => {
    const cells = found.map(({ metric, summary }) =>
      summary.cells.find((cell) => cell.metric === metric && cell.method === method),
    );
    if (cells.every((cell) => cell === undefined)) return [];
    const name = cells.some((cell) => cell?.baseline) ? `*${method}*` : `\`${method}\``;
    return [`| ${[name, ...cells.map(cellText)].join(" | ")} |`];
  });
  const runs = [...new Set(found.map(({ run }) => run))];
  const notes = runs.map((run) => {
    const { cases, header } = summaryOf(run);
    const command = header.command.replace(/ -o .*| --workers \d+/g, "");
    return `- ${run}: n = ${cases}, seed ${header.seed}, \`npx ${command}\``;
  });
  return [
    `| method | ${head.join(" | ")} |`,
    `|---|${head.map(() => "--:").join("|")}|`,
    ...rows,
    "",
    "± half of the 95 % interval (bootstrap over pictures or texts); † not better than a random map on the same cases; ‡ one map for every class.",
    "",
    ...notes,
  ].join("\n");
}

function cellText(cell) {
  if (!cell) return "";
  const digits = (value) => value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
  const marks = [
    !cell.baseline && cell.versusRandom && !cell.versusRandom.better ? "†" : "",
    !cell.baseline && cell.notes["not class-specific"] === cell.n ? "‡" : "",
  ];
  return `${digits(cell.value)} ± ${digits((cell.high - cell.low) / 2)}${marks.join("")}`;
}

for (const { marker, file, columns } of TABLES) {
  const runs = [...new Set(columns.map(([, run]) => run))];
  if (!runs.some(isWanted)) continue;
  const known = columns.filter(([, run]) => summaryOf(run));
  const missing = runs.filter((run) => !summaryOf(run)).map((run) => `- ${run}: not measured in this run`);
  const url = new URL(file, root);
  writeFileSync(url, replaceBetween(readFileSync(url, "utf8"), marker, [table(known), ...missing].join("\n")));
  console.log(`${file}: ${marker}`);
}
