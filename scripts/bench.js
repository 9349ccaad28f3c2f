/**
 * Speed and memory, as ratios measured side by side in one run: forward of the plain model, each method, peak memory,
 * compile time and patch size, for ViT shapes at 224 px with random weights. Writes the table into the README.
 *
 *     npm run bench [-- tiny base transformer-attribution ...]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ort from "onnxruntime-node";
import { builtMethods, compile } from "../packages/vitrail/dist/index.js";
import { visionTransformer } from "./bench-model.js";
import { replaceBetween } from "./docs.js";

const SHAPES = {
  tiny: { title: "ViT-Tiny/16", width: 192, depth: 12, heads: 3 },
  small: { title: "ViT-S/16", width: 384, depth: 12, heads: 6 },
  base: { title: "ViT-B/16", width: 768, depth: 12, heads: 12 },
};
const args = process.argv.slice(2);
const THREADS = 2;
const ROUNDS = 7;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const session = (bytes) => ort.InferenceSession.create(bytes, { intraOpNumThreads: THREADS, logSeverityLevel: 3 });

function feeds() {
  const values = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i * 0.37));
  return { pixel_values: new ort.Tensor("float32", values, [1, 3, 224, 224]) };
}

/** Median of the runs after the first, which still pays for the switch of sessions. */
async function time(s, f) {
  const runs = [];
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await s.run(f);
    if (i > 0) runs.push(performance.now() - start);
  }
  return median(runs);
}

/** In a process of its own: one method beside the plain model, alternating; and its memory without it. */
async function child([mode, path, method]) {
  const bytes = readFileSync(path);
  const start = performance.now();
  const program = method === "forward" ? undefined : compile(bytes, { method });
  const compiling = performance.now() - start;
  const compiled = await session(program?.bytes ?? bytes);
  const input = feeds();
  const withTarget = program?.report.metadata.target.name
    ? { ...input, target: new ort.Tensor("int64", BigInt64Array.from([3n]), [1]) }
    : input;
  if (mode === "memory") {
    await compiled.run(withTarget);
    return { memory: process.resourceUsage().maxRSS / 1024 };
  }
  const plain = await session(bytes);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const forward = await time(plain, input);
    rounds.push({ forward, explain: await time(compiled, withTarget) });
  }
  return {
    forward: median(rounds.map((r) => r.forward)),
    ratio: median(rounds.map((r) => r.explain / r.forward)),
    compiling,
    patch: program?.patch.length ?? 0,
  };
}

function measure(...args) {
  const script = fileURLToPath(import.meta.url);
  return JSON.parse(execFileSync(process.execPath, [script, "--child", ...args], { maxBuffer: 1e8 }).toString());
}

async function main(names, chosen) {
  const folder = mkdtempSync(join(tmpdir(), "vitrail-bench-"));
  const lines = ["| model | method | forwards | compile | patch | peak memory |", "|---|---|--:|--:|--:|--:|"];
  try {
    for (const name of names) {
      const { title, ...shape } = SHAPES[name];
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, visionTransformer(shape));
      const { memory } = measure("memory", path, "forward");
      const rows = chosen.map((m) => ({ id: m.id, ...measure("time", path, m.id), ...measure("memory", path, m.id) }));
      lines.push(`| ${title} | plain forward, ${rows[0].forward.toFixed(0)} ms | 1 | | | ${memory.toFixed(0)} MB |`);
      for (const r of rows)
        lines.push(
          `| ${title} | \`${r.id}\` | ${r.ratio.toFixed(2)} | ${r.compiling.toFixed(0)} ms | ${(r.patch / 1e3).toFixed(0)} kB | ${r.memory.toFixed(0)} MB |`,
        );
      console.log(lines.slice(-rows.length - 1).join("\n"));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const command = `npm run bench${args.length > 0 ? ` -- ${args.join(" ")}` : ""}`;
  const machine = `\`${command}\` on ${cpus()[0]?.model ?? "CPU"}, ${THREADS} threads, Node ${process.versions.node}; medians of ${ROUNDS} alternating rounds; the whole process is counted as memory.`;
  const readme = new URL("../README.md", import.meta.url);
  writeFileSync(readme, replaceBetween(readFileSync(readme, "utf8"), "bench", `${lines.join("\n")}\n\n${machine}`));
}

if (args[0] === "--child") console.log(JSON.stringify(await child(args.slice(1))));
else {
  const names = args.filter((a) => a in SHAPES);
  const chosen = builtMethods.filter((m) => args.includes(m.id));
  await main(names.length > 0 ? names : ["tiny", "base"], chosen.length > 0 ? chosen : builtMethods);
}
