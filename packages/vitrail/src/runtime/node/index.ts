import { fileURLToPath } from "node:url";
import type { CompileOptions } from "../../options.js";
import { type Explainer, explainerOver } from "../explainer.js";
import type { Part } from "../session.js";
import type { Feeds } from "../tensor.js";
import type { RuntimeOptions } from "./protocol.js";
import { WorkerClient } from "./worker-client.js";

export { refuseTooLarge } from "../../onnx/size.js";
export * from "../index.js";
export { externalPaths } from "./external-data.js";
export { openSession } from "./open-session.js";
export type { RuntimeOptions } from "./protocol.js";

export type ExplainerOptions = CompileOptions & RuntimeOptions;

/**
 * Compiles a model and opens it in a worker thread. Bytes are moved there, not copied, when they fill their own buffer
 * and `transfer` is set; a file is read there.
 */
export async function createExplainer(
  model: string | URL | Uint8Array,
  { device, threads, lowMemory, folder, transfer, ...options }: ExplainerOptions & { transfer?: boolean } = {},
): Promise<Explainer> {
  const compile = lowMemory ? { compact: true, ...options } : options;
  const worker = new WorkerClient(new URL("./session-worker.js", import.meta.url));
  const source = model instanceof URL ? fileURLToPath(model) : model;
  const moved = transfer && source instanceof Uint8Array ? [source.buffer as ArrayBuffer] : [];
  try {
    const findings = await worker.call(
      "open",
      { model: source, compile, runtime: { device, threads, lowMemory, folder } },
      moved,
    );
    const session = {
      run: (feeds: Feeds, part: Part) => worker.call("run", { feeds: plain(feeds), part }),
      close: () => worker.close(),
    };
    return explainerOver(session, findings);
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/** Only what crosses threads: an `ort.Tensor` has methods. */
const plain = (feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, { type, dims, data }]) => [name, { type, dims, data }]));
