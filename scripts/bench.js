/**
 * Speed and memory of ViT shapes at 224 px and BERT-base at 128 tokens with random weights, measured as `vitrail bench` measures
 * any model: ratios to the plain model's forward in the same run. Writes the table into the README.
 *
 *     npm run bench [-- tiny base bert transformer-attribution transformer-attribution:ridge=0.003 ...]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { measureMethod, measurePlain } from "../packages/cli/dist/bench/run.js";
import { chooseMethods } from "../packages/cli/dist/evaluate/choose.js";
import { builtMethods } from "../packages/vitrail/dist/index.js";
import { tensor } from "../packages/vitrail/dist/runtime/node/index.js";
import { bertClassifier, visionTransformer } from "./bench-model.js";
import { replaceBetween } from "./docs.js";

/** Smaller shapes get more rounds: a machine's moods last for seconds, whatever runs. */
const SHAPES = {
  tiny: { title: "ViT-Tiny/16", make: visionTransformer, rounds: 31, width: 192, depth: 12, heads: 3 },
  small: { title: "ViT-S/16", make: visionTransformer, rounds: 21, width: 384, depth: 12, heads: 6 },
  base: { title: "ViT-B/16", make: visionTransformer, rounds: 11, width: 768, depth: 12, heads: 12 },
  bert: { title: "BERT-base, 128 tokens", make: bertClassifier, rounds: 11, width: 768, depth: 12, heads: 12 },
};
const args = process.argv.slice(2);
const THREADS = 2;

function feedsFor({ make }) {
  if (make === visionTransformer) {
    const values = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i * 0.37));
    return { pixel_values: tensor(values, [1, 3, 224, 224]) };
  }
  const ids = BigInt64Array.from({ length: 128 }, (_, i) => BigInt((i * 7919) % 30522));
  return { input_ids: tensor(ids, [1, 128]), attention_mask: tensor(new BigInt64Array(128).fill(1n), [1, 128]) };
}

async function main(names, chosen) {
  const folder = mkdtempSync(join(tmpdir(), "vitrail-bench-"));
  const lines = [
    "| model | method | forwards | each more target | compile | patch | peak memory |",
    "|---|---|--:|--:|--:|--:|--:|",
  ];
  const say = (line) => {
    lines.push(line);
    console.log(line);
  };
  try {
    for (const name of names) {
      const { title, make, rounds, ...shape } = SHAPES[name];
      const file = join(folder, `${name}.onnx`);
      writeFileSync(file, make(shape));
      const common = { file, feeds: feedsFor({ make }), rounds, runtime: { device: "cpu", threads: THREADS } };
      const plain = await measurePlain({ ...common, compile: {} });
      say(`| ${title} | plain forward, ${plain.forward.median.toFixed(0)} ms | 1 | | | | ${megabytes(plain.memory)} |`);
      for (const { name: written, id, options } of chosen) {
        const figures = await measureMethod({ ...common, compile: { method: id, ...options } });
        const { forwards, extra, compiled, memory } = figures;
        const more = extra ? extra.median.toFixed(2) : "";
        const made = compiled
          ? `${compiled.compileMs.toFixed(0)} ms | ${(compiled.patchBytes / 1e3).toFixed(0)} kB`
          : " | ";
        say(`| ${title} | \`${written}\` | ${forwards.median.toFixed(2)} | ${more} | ${made} | ${megabytes(memory)} |`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const command = `npm run bench${args.length > 0 ? ` -- ${args.join(" ")}` : ""}`;
  const rounds = names.map((name) => `${SHAPES[name].title} ${SHAPES[name].rounds}`).join("; ");
  const machine = `\`${command}\` on ${cpus()[0]?.model ?? "CPU"}, ${THREADS} threads, Node ${process.versions.node}; medians of alternating rounds (${rounds}), of methods of many runs of as many as begin within a minute; the whole process is counted as memory.`;
  const readme = new URL("../README.md", import.meta.url);
  writeFileSync(readme, replaceBetween(readFileSync(readme, "utf8"), "bench", `${lines.join("\n")}\n\n${machine}`));
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

const names = args.filter((a) => a in SHAPES);
const wanted = args.filter((a) => !(a in SHAPES));
const chosen = chooseMethods(wanted.length > 0 ? wanted : builtMethods.map(({ id }) => id), 0).methods;
await main(names.length > 0 ? names : ["tiny", "base", "bert"], chosen);
