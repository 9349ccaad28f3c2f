/** Tries one damaged model after the other and says how each ended. A hang is seen from outside. */
import { readFileSync } from "node:fs";
import { InferenceSession } from "onnxruntime-node";
import { compile, inspect, VitrailError } from "vitrail";
import { mutated } from "./mutate.js";

const { files, first, step, runs, seed } = JSON.parse(process.argv[2]);
const METHODS = [
  "transformer-attribution",
  "gradient-x-input",
  "lrp",
  "attention-rollout",
  "attn-lrp",
  "generic-attention",
];
// A Buffer's slices are views: damage would reach the file itself.
const read = files.map((f) => new Uint8Array(readFileSync(f)));
const session = { logSeverityLevel: 4, graphOptimizationLevel: "disabled", intraOpNumThreads: 1 };

/** What a JavaScript engine says, which says nothing to whoever has the file. */
const RAW = /undefined|not a function|not iterable|Maximum call stack|Cannot |\bInvalid |\bNaN\b|null/;
const say = (message) => process.send(message);

for (let i = first; i < runs; i += step) {
  const own = seed + i;
  const which = own % files.length;
  const method = METHODS[own % METHODS.length];
  say({ start: own });
  const { bytes, what } = mutated(read[which], own);
  const finding = (why) => say({ finding: { seed: own, file: files[which], method, what, why } });
  try {
    inspect(bytes, { method });
  } catch (error) {
    judge(error, "inspect", finding);
  }
  let compiled;
  try {
    compiled = compile(bytes, { method }).bytes;
  } catch (error) {
    judge(error, "compile", finding);
  }
  // Loading takes longest, and what does not load itself need not load explained.
  if (compiled && own % 7 === 0 && (await loads(bytes)) && !(await loads(compiled)))
    finding("loads, and explained does not");
  say({ end: own, compiled: compiled !== undefined });
}
process.disconnect();

function judge(error, verb, finding) {
  if (!(error instanceof VitrailError)) finding(`${verb}: ${error?.stack ?? error}`);
  else if (error.diagnostics.some((d) => d.kind === "internal"))
    finding(`${verb}: ${error.message}\n${error.cause?.stack ?? ""}`);
  else if (error.diagnostics.some((d) => RAW.test(d.why ?? ""))) finding(`${verb}: ${error.message}`);
}

async function loads(bytes) {
  try {
    await (await InferenceSession.create(bytes, session)).release();
    return true;
  } catch {
    return false;
  }
}
