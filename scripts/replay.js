/**
 * The graphs that `transformer-attribution` makes of the whole collection, compared with the committed ones in test/replay.
 *
 *     npm run replay                  compare; differences are shown by node
 *     npm run replay -- --update      write them anew
 *     npm run replay -- vit/          only files whose path has this in it
 *
 * `graphs.json` holds a hash of every printed graph and counts of operators per pass; a few small models are there as text.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { compile, parseGraph, VitrailError } from "vitrail";

const collection = new URL("../test/collection/", import.meta.url);
const committed = new URL("../test/replay/", import.meta.url);
/** Printed in full: a picture model, a fused text model, a decoder and a dense head, in their shortest spellings. */
const FULL = [
  "vit/dynamo-op23-sdpa.onnx",
  "bert_optimum/optimum-op11-eager-ortopt.onnx",
  "swiglu_rms_vit/dynamo-op23-plain.onnx",
  "llama_cls/dynamo-op23-sdpa.onnx",
];

const update = process.argv.includes("--update");
const only = process.argv.slice(2).find((a) => !a.startsWith("--")) ?? "";
const textFile = (file) => new URL(file.replace("/", "--").replace(/\.onnx$/, ".txt"), committed);

const { families } = JSON.parse(readFileSync(new URL("manifest.json", collection), "utf8"));
const known = readKnown();
const graphs = {};
const texts = new Map();
let differences = 0;
for (const family of families)
  for (const { file } of family.spellings) {
    if (!file.includes(only)) continue;
    for (const map of family.maps) {
      const key = `${file}${map.suffix}`;
      const text = printed(file, map, family);
      graphs[key] = summary(text);
      if (FULL.includes(file) && map === family.maps[0]) texts.set(file, text);
      if (!update && JSON.stringify(known[key]) !== JSON.stringify(graphs[key])) show(key, file, known[key], text);
    }
  }
if (update) write();
else {
  console.log(`${Object.keys(graphs).length} graphs, ${differences} differ`);
  process.exitCode = differences > 0 ? 1 : 0;
}

function printed(file, map, family) {
  try {
    const options = { explains: map.explains, output: map.output ?? family.output };
    return normalized(compile(readFileSync(new URL(file, collection)), options).report.print());
  } catch (error) {
    if (error instanceof VitrailError) return `refused\n${error.message}\n`;
    throw error;
  }
}

/** Values without a name of their own are numbered in the order in which they appear. */
function normalized(text) {
  const numbers = new Map();
  return text.replace(/%(\d+)\b/g, (_, id) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return `%${numbers.get(id)}`;
  });
}

/** Hash, and how often each pass uses each operator. */
function summary(text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const passes = {};
  for (const { pass, operator } of text.startsWith("graph") ? parseGraph(text).nodes : []) {
    passes[pass] ??= {};
    passes[pass][operator] = (passes[pass][operator] ?? 0) + 1;
  }
  const { "": original = {}, ...added } = passes;
  const counted = Object.entries(added).map(([name, counts]) => [name, listed(counts)]);
  return {
    hash,
    original: Object.values(original).reduce((a, b) => a + b, 0),
    ...Object.fromEntries(counted),
  };
}

function listed(counts) {
  const sorted = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([operator, n]) => (n === 1 ? operator : `${n} ${operator}`)).join(", ");
}

/** What differs: lines of the graph where the whole text is committed, else operators per pass. */
function show(key, file, before, text) {
  differences++;
  console.log(`\n${key}${before ? "" : " (new)"}`);
  if (!before) return;
  if (existsSync(textFile(file)) && FULL.includes(file)) return showLines(readFileSync(textFile(file), "utf8"), text);
  const after = graphs[key];
  const passes = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((p) => p !== "hash");
  const changed = passes.filter((p) => before[p] !== after[p]);
  for (const pass of changed) showCounts(pass, String(before[pass] ?? ""), String(after[pass] ?? ""));
  if (changed.length === 0) console.log("  same operators; their order, inputs, attributes or shapes differ");
}

function showCounts(pass, before, after) {
  const [a, b] = [before, after].map((s) => s.split(", "));
  const lost = a.filter((x) => !b.includes(x)).map((x) => `-${x}`);
  const won = b.filter((x) => !a.includes(x)).map((x) => `+${x}`);
  console.log(`  ${pass}: ${[...lost, ...won].join("  ")}`);
}

/** Nodes that only one of two graphs has; names of unnamed values do not count. */
function showLines(before, after) {
  const key = (line) => line.replace(/%\d+\b/g, "%");
  const count = (text) => {
    const counts = new Map();
    for (const line of text.split("\n")) counts.set(key(line), (counts.get(key(line)) ?? 0) + 1);
    return counts;
  };
  const [a, b] = [count(before), count(after)];
  const rest = (text, other, sign) => {
    const left = new Map(other);
    const lines = text.split("\n").filter((line) => {
      const n = left.get(key(line)) ?? 0;
      left.set(key(line), n - 1);
      return n <= 0;
    });
    return lines.map((line) => `  ${sign}${line}`);
  };
  const lines = [...rest(before, b, "-"), ...rest(after, a, "+")];
  const more = lines.length > 60 ? [`  ... and ${lines.length - 60} more`] : [];
  console.log([...lines.slice(0, 60), ...more].join("\n") || "  same nodes in another order");
}

function readKnown() {
  const file = new URL("graphs.json", committed);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

function write() {
  mkdirSync(committed, { recursive: true });
  const all = only === "" ? graphs : { ...known, ...graphs };
  const rows = Object.entries(all).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  writeFileSync(new URL("graphs.json", committed), `{\n${rows.join(",\n")}\n}\n`);
  if (only === "")
    for (const name of readdirSync(committed)) if (name.endsWith(".txt")) rmSync(new URL(name, committed));
  for (const [file, text] of texts) writeFileSync(textFile(file), text);
  console.log(`${rows.length} graphs written`);
}
