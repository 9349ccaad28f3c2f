/** The README's table of what the collection holds, from its manifest. Every file in it is a test of collection.test.ts. */

const COLUMNS = [
  ["TorchScript, opset", (s) => s.exporter === "torchscript" && plain(s)],
  ["dynamo, opset", (s) => s.exporter === "dynamo" && plain(s)],
  ["optimum, opset", (s) => s.exporter.startsWith("optimum") && plain(s)],
];
/** What optimisers and tools did to a file after the export, by how the manifest notes it. */
const REWRITES = [
  ["onnxslim", /onnxslim/],
  ["onnxruntime", /saved by onnxruntime/],
  ["fused operators", /onnxruntime\.transformers/],
  ["functions", /function/],
  ["If", /\bIf\b/],
  ["external data", /second file/],
];
const FORMATS = ["float16", "bfloat16", "float64", "int8", "uint8", "qdq", "int4"];
const FORMAT_NAMES = { qdq: "QDQ", int4: "4 bit" };

const plain = (s) => s.format === "float32";

/** One row per family; files that were exported by optimum count to the family that they are of. */
export function supportTable(manifest) {
  const rows = new Map();
  for (const { family, title, spellings } of manifest.families) {
    const name = family.replace(/_optimum$/, "");
    const row = rows.get(name) ?? { title, spellings: [] };
    row.spellings.push(...spellings);
    rows.set(name, row);
  }
  const head = ["family", ...COLUMNS.map(([name]) => name), "rewritten by", "number formats"];
  const lines = [...rows.values()].map(({ title, spellings }) => [
    title,
    ...COLUMNS.map(([, holds]) => opsets(spellings.filter(holds))),
    noted(spellings),
    formats(spellings),
  ]);
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const opsets = (spellings) => [...new Set(spellings.map((s) => s.opset))].sort((a, b) => a - b).join(", ");
const noted = (spellings) =>
  REWRITES.filter(([, pattern]) => spellings.some((s) => s.notes.some((n) => pattern.test(n))))
    .map(([name]) => name)
    .join(", ");
const formats = (spellings) =>
  ["float32", ...FORMATS.filter((f) => spellings.some((s) => s.format === f))]
    .map((f) => FORMAT_NAMES[f] ?? f)
    .join(", ");
