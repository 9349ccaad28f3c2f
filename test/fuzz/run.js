/**
 * Damaged models through the whole way: every one ends in an explanation or in a refusal with a code that is not our own mistake,
 * in time and within its memory.
 *
 *     npm run fuzz                            2,000 models from seed 1
 *     npm run fuzz -- --runs 100000 --seed 7
 *     npm run fuzz -- --runs 1 --seed 4711    one finding again
 */
import { fork } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { runs: { type: "string" }, seed: { type: "string" }, workers: { type: "string" } },
});
const runs = Number(values.runs ?? 2000);
const seed = Number(values.seed ?? 1);
const workers = Math.min(Number(values.workers ?? 2), runs);
/** A model of a hundred nodes takes some 30 ms; what takes so much longer does not end. */
const SECONDS = 30;
const MEMORY = 1500;

const files = smallest(24);
const findings = [];
let done = 0;
let compiled = 0;
await Promise.all(Array.from({ length: workers }, (_, k) => work(k)));
console.log(`${done} damaged models, ${compiled} of them explained, ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;

function found(f) {
  findings.push(f);
  const why = f.why.split("\n").slice(0, 6).join("\n  ");
  console.log(`seed ${f.seed}  ${f.file}  ${f.method}  (${f.what})\n  ${why}`);
}

/** A worker that hangs or runs out of memory is a finding; another goes on behind it. */
async function work(k) {
  for (let first = k; first < runs; ) first = await from(first);
}

function from(first) {
  return new Promise((resolve) => {
    const asked = JSON.stringify({ files, first, step: workers, runs, seed });
    const worker = fork(fileURLToPath(new URL("./worker.js", import.meta.url)), [asked], {
      execArgv: [`--max-old-space-size=${MEMORY}`],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    let current = seed + first;
    let timer;
    const next = () => current - seed + workers;
    const over = (why) => {
      clearTimeout(timer);
      if (why) found({ seed: current, file: files[current % files.length], method: "", what: "", why });
      worker.removeAllListeners();
      worker.kill("SIGKILL");
      resolve(why ? next() : runs);
    };
    worker.on("message", (m) => {
      if (m.start !== undefined) {
        current = m.start;
        clearTimeout(timer);
        timer = setTimeout(() => over(`not done after ${SECONDS} seconds`), SECONDS * 1000);
      }
      if (m.finding) found(m.finding);
      if (m.end !== undefined) {
        done++;
        if (m.compiled) compiled++;
      }
    });
    worker.on("exit", (code, signal) => over(code === 0 ? undefined : `the process ended (${signal ?? code})`));
  });
}

/** One spelling of each of the smallest families. */
function smallest(count) {
  const root = fileURLToPath(new URL("../collection", import.meta.url));
  return readdirSync(root, { withFileTypes: true })
    .filter((d) => d.isDirectory())
    .map((d) => {
      const all = readdirSync(join(root, d.name)).filter((f) => f.endsWith(".onnx"));
      const sized = all.map((f) => ({ file: join(root, d.name, f), size: statSync(join(root, d.name, f)).size }));
      return sized.sort((a, b) => a.size - b.size || (a.file < b.file ? -1 : 1))[0];
    })
    .filter((f) => f !== undefined)
    .sort((a, b) => a.size - b.size || (a.file < b.file ? -1 : 1))
    .slice(0, count)
    .map((f) => f.file);
}
