/**
 * Localisation of every method on the shipped blood-cell model: pointing game and relevance mass in the boxes, on the
 * test crops in which the label is present. Writes the table into the README and the model's card.
 */
import { readFileSync, writeFileSync } from "node:fs";
import ort from "onnxruntime-node";
import sharp from "sharp";
import { boxMask, centre, pointingGame, random, relevanceMass } from "../packages/evaluation/dist/index.js";
import { builtMethods, compile } from "../packages/vitrail/dist/index.js";
import { replaceBetween } from "./docs.js";

const folder = new URL("../models/blood-cells/", import.meta.url);
const file = (path) => readFileSync(new URL(path, folder));
const split = JSON.parse(file("test-split/crops.json"));
const { image_mean: mean, image_std: std } = JSON.parse(file("preprocessor_config.json"));
const { tile, columns, side, labels } = split;
const sheet = await sharp(file(`test-split/${split.sheet}`))
  .removeAlpha()
  .raw()
  .toBuffer({ resolveWithObject: true });
const PATCH = 8;
const GRID = tile / PATCH;

/** pixel_values [1, 3, tile, tile] of one crop. */
function pixels(i) {
  const values = new Float32Array(3 * tile * tile);
  const [left, top] = [(i % columns) * tile, Math.floor(i / columns) * tile];
  for (let y = 0; y < tile; y++)
    for (let x = 0; x < tile; x++)
      for (let c = 0; c < 3; c++) {
        const byte = sheet.data[((top + y) * sheet.info.width + left + x) * 3 + c];
        values[(c * tile + y) * tile + x] = (byte / 255 - mean[c]) / std[c];
      }
  return new ort.Tensor("float32", values, [1, 3, tile, tile]);
}

/** A map of pixels: patches spread over their pixels, channels summed. */
function toPixels(values) {
  const map = new Float32Array(tile * tile);
  for (let y = 0; y < tile; y++)
    for (let x = 0; x < tile; x++) {
      const at = y * tile + x;
      if (values.length === 3 * tile * tile)
        map[at] = [0, 1, 2].reduce((sum, c) => sum + values[c * tile * tile + at], 0);
      else map[at] = values[Math.floor(y / PATCH) * GRID + Math.floor(x / PATCH)];
    }
  return map;
}

/** Where a map points to: its strongest pixel, or the centre of its strongest patch. */
function toPoints(values) {
  if (values.length === 3 * tile * tile) return toPixels(values);
  const points = new Float32Array(tile * tile).fill(Number.NEGATIVE_INFINITY);
  values.forEach((v, i) => {
    const [row, column] = [Math.floor(i / GRID), i % GRID];
    points[(row * PATCH + PATCH / 2) * tile + column * PATCH + PATCH / 2] = v;
  });
  return points;
}

const truthOf = (crop, label) => {
  const s = tile / side;
  const boxes = crop.boxes
    .filter((b) => b.label === label)
    .map(({ box: [x0, y0, x1, y1] }) => ({ x: x0 * s, y: y0 * s, width: (x1 - x0) * s, height: (y1 - y0) * s }));
  return boxMask(boxes, tile, tile);
};

async function explainerOf(id) {
  const session = await ort.InferenceSession.create(compile(file("onnx/model.onnx"), { method: id }).bytes);
  return async (i, target) => {
    const feeds = {
      pixel_values: pixels(i),
      target: new ort.Tensor("int64", BigInt64Array.from([BigInt(target)]), [1]),
    };
    const { relevance } = await session.run(feeds);
    return relevance.dims.length === 2 ? relevance.data.slice(relevance.data.length - GRID * GRID) : relevance.data;
  };
}

const subject = { units: GRID * GRID, grid: [GRID, GRID] };
const rows = [
  ...builtMethods.map((m) => ({ id: m.id, make: () => explainerOf(m.id) })),
  { id: "*random*", make: async () => (i, target) => random.map(subject, 0, i, target) },
  { id: "*centre*", make: async () => () => centre.map(subject) },
  { id: "*box area*", make: async () => () => new Float32Array(GRID * GRID).fill(1) },
];

const header = ["method", ...labels.flatMap((l) => [`${l}: pointing`, `${l}: mass / area`])];
const lines = [`| ${header.join(" | ")} |`, `|${header.map((_, i) => (i ? "--:" : "---")).join("|")}|`];
const counts = labels.map((l) => split.crops.filter((c) => c.labels[l] === "present").length);
for (const { id, make } of rows) {
  const explain = await make();
  const cells = [];
  for (const [target, label] of labels.entries()) {
    let hits = 0;
    let times = 0;
    let n = 0;
    for (const [i, crop] of split.crops.entries()) {
      if (crop.labels[label] !== "present") continue;
      const truth = truthOf(crop, label);
      const values = await explain(i, target);
      const map = toPixels(values);
      hits += pointingGame(toPoints(values), truth, tile);
      times += relevanceMass(map, truth) / (truth.reduce((s, t) => s + t, 0) / truth.length);
      n++;
    }
    cells.push((hits / n).toFixed(2), (times / n).toFixed(1));
  }
  lines.push(`| ${id.startsWith("*") ? id : `\`${id}\``} | ${cells.join(" | ")} |`);
  console.log(lines.at(-1));
}
const note = `n = ${counts.map((n, i) => `${n} crops with ${labels[i]}`).join(", ")}; float32 on onnxruntime-node; made by \`npm run tables\`.`;
const table = `${lines.join("\n")}\n\n${note}`;
for (const [path, name] of [
  ["../README.md", "blood-cells"],
  ["../models/blood-cells/README.md", "relevance-table"],
]) {
  const url = new URL(path, import.meta.url);
  writeFileSync(url, replaceBetween(readFileSync(url, "utf8"), name, table));
}
