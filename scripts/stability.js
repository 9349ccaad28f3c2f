/**
 * The study behind docs/decisions/0010: how well the rules of transformer attribution can be computed in float32, how far
 * they lie from the exact ones, and whether their maps are worth less. On the shipped models' test cases.
 *
 *     npm run stability -- prepare FOLDER             compiled models and inputs
 *     python -m reference.stability FOLDER            the same maps in float64, plain and with an input change of 1e-6
 *     npm run stability -- report FOLDER              float32 maps, metrics, tables
 *
 * Names of models and rules after FOLDER choose some; `--cases N` takes at most N cases of each model.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ort from "onnxruntime-node";
import {
  chooseMetric,
  memoryStore,
  openResults,
  performer,
  quantile,
  run,
  spearman,
  summariseResults,
} from "../packages/evaluation/dist/index.js";
import { compile } from "../packages/vitrail/dist/index.js";
import { benches, modelFile } from "./stability-cases.js";
import { compileGamma } from "./stability-gamma.js";

const RULES = {
  exact: {},
  "shift 1e-4": { stabilizer: 1e-4 },
  "shift 1e-3": { stabilizer: 1e-3 },
  "shift 1e-2": { stabilizer: 1e-2 },
  "ridge 1e-3": { ridge: 1e-3 },
  "ridge 3e-3": { ridge: 3e-3 },
  "ridge 1e-2": { ridge: 1e-2 },
  "gamma 1e-2": { gamma: 1e-2 },
  "gamma 1e-1": { gamma: 1e-1 },
  "gamma 1": { gamma: 1 },
};
const METRICS = [
  "pointing-game",
  "relevance-mass",
  "average-precision",
  "positive-perturbation",
  "negative-perturbation",
  "class-sensitivity",
].map(chooseMetric);

const [step, folder, ...rest] = process.argv.slice(2);
const limit = rest.includes("--cases") ? Number(rest[rest.indexOf("--cases") + 1]) : Number.POSITIVE_INFINITY;
const chosen = (all) => (all.some((name) => rest.includes(name)) ? all.filter((name) => rest.includes(name)) : all);
const models = chosen(Object.keys(benches));
const rules = chosen(Object.keys(RULES));
const slug = (rule) => rule.replaceAll(" ", "_");
const compiled = (model, options) => ("gamma" in options ? compileGamma : compile)(modelFile(model), options);
/** Cases spread over the whole list. */
const some = (cases) => {
  const count = Math.min(limit, cases.length);
  return cases.filter(
    (_, i) => Math.floor((i * count) / cases.length) !== Math.floor(((i - 1) * count) / cases.length),
  );
};

if (step === "prepare") for (const model of models) await prepare(model);
else if (step === "report") for (const model of models) await report(model);
else throw new Error("first prepare FOLDER, then report FOLDER");

async function prepare(model) {
  const place = join(folder, model);
  mkdirSync(place, { recursive: true });
  for (const rule of rules) writeFileSync(join(place, `${slug(rule)}.onnx`), compiled(model, RULES[rule]).bytes);
  const cases = some(await benches[model].cases());
  const plain = cases.map(({ id, subject, target }) => ({
    id,
    target,
    feeds: Object.fromEntries(
      Object.entries(subject.input).map(([name, { type, dims, data }]) => [
        name,
        { type, dims, data: Array.from(data, Number) },
      ]),
    ),
  }));
  writeFileSync(join(place, "cases.json"), JSON.stringify(plain));
  console.log(`${model}: ${cases.length} cases, ${rules.length} rules`);
}

async function report(model) {
  const { activation } = benches[model];
  const prepared = JSON.parse(readFileSync(join(folder, model, "cases.json"), "utf8")).map(({ id }) => id);
  const cases = (await benches[model].cases()).filter(({ id }) => prepared.includes(id));
  const found = [];
  for (const rule of rules) found.push(await agreement(model, rule, cases));
  const header = [
    "rule",
    "float32: median",
    "90 %",
    "worst",
    "1e-6: median",
    "90 %",
    "worst",
    "exact: median",
    "Spearman: 5 %",
    "< .9",
  ];
  console.log(`\n### ${model}, n = ${cases.length}\n`);
  console.log(
    table(
      header,
      found.map(({ cells }) => cells),
    ),
  );
  console.log(`\n${foretold(found)}`);
  if (rest.includes("--no-metrics")) return;
  const { cells } = await judge(model, activation, cases);
  const methods = [...rules, "random"];
  const shown = METRICS.filter(({ name }) => cells.some((c) => c.metric === name));
  const cellOf = (method, { name }) => {
    const cell = cells.find((c) => c.metric === name && c.method === method);
    return cell ? `${cell.value.toPrecision(3)}` : "";
  };
  console.log(
    `\n${table(
      ["rule", ...shown.map(({ name }) => name)],
      methods.map((m) => [m, ...shown.map((metric) => cellOf(m, metric))]),
    )}`,
  );
}

function table(header, rows) {
  return [header, header.map((_, i) => (i ? "--:" : "---")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Relative distance of maps: float32 from float64, moved from unmoved (float64), the rule from the exact one (float64). */
async function agreement(model, rule, cases) {
  const explain = await explainer(model, rule);
  const [own, moved, exact] = [double(model, rule), double(model, rule, "moved"), double(model, "exact")];
  const single = [];
  for (const of of cases) single.push(await explain.raw(of.subject.input, of.target));
  const errors = own.map((map, i) => distance(single[i].map, map));
  const order = own.map((map, i) => spearman(map, exact[i]));
  return {
    errors,
    magnifications: single.map(({ magnification }) => magnification),
    cells: [
      rule,
      ...figures(errors),
      ...figures(own.map((map, i) => distance(moved[i], map))),
      figures(own.map((map, i) => distance(map, exact[i])))[0],
      quantile(Float64Array.from(order).sort(), 0.05).toFixed(3),
      order.filter((rho) => rho < 0.9).length,
    ],
  };
}

function figures(distances) {
  const sorted = Float64Array.from(distances).sort();
  return [0.5, 0.9, 1].map((q) => quantile(sorted, q).toExponential(1));
}

/** What the stability reading foretells: float32 errors of all rules' maps, by magnification. */
function foretold(found) {
  const all = found.flatMap(({ errors, magnifications }) => errors.map((error, i) => [magnifications[i], error]));
  const bounds = [0, 1e3, 1e4, 1e5, 1e6, 1e7, Number.POSITIVE_INFINITY];
  const rows = bounds.slice(1).map((to, i) => {
    const errors = all.filter(([m]) => m >= bounds[i] && m < to).map(([, error]) => error);
    const bad = errors.filter((error) => error > 0.01).length;
    return [
      `${bounds[i].toExponential(0)} to ${to.toExponential(0)}`,
      errors.length,
      ...(errors.length ? [...figures(errors), bad] : ["", "", "", ""]),
    ];
  });
  const rho = spearman(
    all.map(([m]) => m),
    all.map(([, error]) => error),
  ).toFixed(2);
  return `${table(["magnification", "n", "float32: median", "90 %", "worst", "> .01"], rows)}\n\nSpearman of magnification and error, all rules: ${rho}`;
}

function distance(a, b) {
  const norm = (x) => Math.hypot(...x);
  return norm(Array.from(a, (v, i) => v - b[i])) / norm(b);
}

function double(model, rule, kind = "plain") {
  const path = join(folder, model, `${slug(rule)}.float64.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8"))[kind] : undefined;
}

/** One case at a time, on one thread: a result never depends on how work was divided. */
async function explainer(model, rule) {
  const { bytes, report } = compiled(model, { ...RULES[rule], stability: true });
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const raw = async (input, target) => {
    const { relevance, stability } = await session.run({
      ...tensors(input),
      target: new ort.Tensor("int64", [BigInt(target)], [1]),
    });
    return { map: relevance.data, magnification: stability.data[1] };
  };
  const { prefix } = report.metadata.tokens;
  // Pictures have special tokens in front only; sentences an end token too.
  const explain = async (input, target) => {
    const { map } = await raw(input, target);
    return input.input_ids ? map.slice(1, -1) : map.slice(prefix);
  };
  return { id: rule, raw, explain };
}

function tensors(input) {
  const entries = Object.entries(input).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]);
  return Object.fromEntries(entries);
}

async function judge(model, activation, cases) {
  const session = await ort.InferenceSession.create(modelFile(model), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const predict = async (inputs) => {
    const answers = [];
    for (const input of inputs) answers.push((await session.run(tensors(input))).logits.data);
    return answers;
  };
  const byId = new Map(cases.map((c) => [c.id, c]));
  const explainers = new Map();
  for (const rule of rules) explainers.set(rule, await explainer(model, rule));
  const perform = performer({
    bench: { model: { predict, activation }, seed: 1 },
    metrics: METRICS,
    load: async (id) => byId.get(id),
    explainer: async (id) => explainers.get(id),
  });
  const results = await openResults(memoryStore(), { model });
  await run({ cases: [...byId.keys()], methods: rules, metrics: METRICS.map(({ name }) => name), results, perform });
  return summariseResults(results.rows, { metrics: METRICS, methods: rules });
}
