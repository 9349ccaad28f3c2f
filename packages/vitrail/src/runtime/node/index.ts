import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CompileOptions } from "../../options.js";
import { type Explainer, explainerOver } from "../explainer.js";
import type { Labels } from "../labels.js";
import { failure, problem } from "../problem.js";
import type { Part } from "../session.js";
import type { Feeds } from "../tensor.js";
import type { RuntimeOptions } from "./protocol.js";
import { WorkerClient } from "./worker-client.js";

export { refuseTooLarge } from "../../onnx/size.js";
export * from "../index.js";
export { externalPaths } from "./external-data.js";
export { openSession } from "./open-session.js";
export type { RuntimeOptions } from "./protocol.js";

export type ExplainerOptions = CompileOptions &
  RuntimeOptions & {
    /** What the classes are called, for targets by name: a list, or `id2label`; of a file by default that of the config.json beside it. */
    labels?: Labels | undefined;
  };

/**
 * Compiles a model and opens it in a worker thread. Bytes are moved there, not copied, when they fill their own buffer
 * and `transfer` is set; a file is read there.
 */
export async function createExplainer(
  model: string | URL | Uint8Array,
  {
    device,
    threads,
    lowMemory,
    folder,
    optimisation,
    int8,
    transfer,
    labels,
    ...options
  }: ExplainerOptions & { transfer?: boolean } = {},
): Promise<Explainer> {
  refuseOwn(options);
  const compile = lowMemory ? { compact: true, ...options } : options;
  const worker = new WorkerClient(new URL("./session-worker.js", import.meta.url));
  const source = model instanceof URL ? fileURLToPath(model) : model;
  const moved = transfer && source instanceof Uint8Array ? [source.buffer as ArrayBuffer] : [];
  try {
    const findings = await worker.call(
      "open",
      { model: source, compile, runtime: { device, threads, lowMemory, folder, optimisation, int8 } },
      moved,
    );
    const session = {
      run: (feeds: Feeds, part: Part) => worker.call("run", { feeds: plain(feeds), part }),
      close: () => worker.close(),
    };
    return explainerOver(session, findings, labels ?? (await labelsBeside(source)));
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/** `id2label` of the config.json beside a file, or above its `onnx` folder. */
async function labelsBeside(model: string | Uint8Array): Promise<Labels | undefined> {
  if (typeof model !== "string") return undefined;
  const folder = dirname(resolve(model));
  for (const path of basename(folder) === "onnx" ? [folder, dirname(folder)] : [folder]) {
    const text = await readFile(join(path, "config.json"), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    try {
      return (JSON.parse(text) as { id2label?: Labels }).id2label;
    } catch {
      // Not ours to judge: without labels a name is refused in words.
    }
  }
  return undefined;
}

/** Functions cannot cross to the thread that compiles. */
function refuseOwn({ method, operators }: CompileOptions): void {
  if (typeof method !== "object" && !operators) return;
  throw failure(
    problem("E080", {
      at: "createExplainer",
      why: "a method or operator of your own is made of functions, and the model is compiled in another thread",
      try: 'compile(model, { method, operators }) and a session of the runtime; or createExplainer of "vitrail/web"',
    }),
  );
}

/** Only what crosses threads: an `ort.Tensor` has methods. */
const plain = (feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, { type, dims, data }]) => [name, { type, dims, data }]));
