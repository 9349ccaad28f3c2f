import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import { VitrailError } from "../../errors.js";
import { originalBytes } from "../../metadata.js";
import { executionOf } from "../execution.js";
import { type Findings, load } from "../load.js";
import { failure, messageOf, problem } from "../problem.js";
import { pairSession, type Session } from "../session.js";
import type { Outputs } from "../tensor.js";
import { fromFile, inMemory, type ModelSource } from "./model-source.js";
import { nativeRuntime } from "./native.js";
import type { OpenRequest, Reply, Request } from "./protocol.js";

/** The worker thread that compiles, loads and runs a model: ONNX Runtime blocks the thread it runs on. */
const port = parentPort!;
let source: ModelSource | undefined;
let session: Session | undefined;

async function open({ model, compile, runtime }: OpenRequest): Promise<Findings> {
  const path = typeof model === "string" ? model : undefined;
  const openNative = await nativeRuntime({ ...runtime, folder: runtime.folder ?? (path && dirname(path)) });
  source = typeof model === "string" ? await fromFile(model, { mapped: runtime.device !== "wasm" }) : inMemory(model);
  const { reading, handedOver, mappedFrom } = source;
  const { findings, appended, explained } = await reading((bytes) => {
    const { original, toRun, findings } = load(bytes, compile);
    const own = handedOver(original);
    return { findings, appended: toRun !== undefined, explained: toRun?.(own) ?? own };
  });
  // A model is read again for the prediction, if that is ever asked for.
  const openPrediction = async () => {
    const original = await reading((bytes) => handedOver(originalBytes(bytes)));
    return openNative(original, mappedFrom());
  };
  session = pairSession(await openNative(explained, mappedFrom()), appended ? openPrediction : undefined);
  return { ...findings, execution: executionOf(runtime.device ?? "cpu", runtime).used };
}

async function run({ feeds, part }: Extract<Request, { call: "run" }>["argument"]): Promise<Outputs> {
  try {
    await source!.check();
    return await session!.run(feeds, part);
  } catch (error) {
    if (error instanceof VitrailError) throw error;
    throw failure(problem("E067", { why: messageOf(error), try: "check the shapes and values of the inputs" }));
  }
}

async function answer(request: Request) {
  if (request.call === "open") return open(request.argument);
  if (request.call === "run") return run(request.argument);
  await session?.close();
  await source?.close();
  return null;
}

port.on("message", async (request: Request) => {
  const { id } = request;
  let reply: Reply;
  try {
    reply = { id, result: await answer(request) };
  } catch (error) {
    const diagnostics = error instanceof VitrailError ? { diagnostics: error.diagnostics } : {};
    reply = { id, error: { message: messageOf(error), ...diagnostics } };
  }
  const moved = request.call === "run" && "result" in reply ? buffers(reply.result as Outputs) : [];
  port.postMessage(reply, moved);
  if (request.call === "close") port.close();
});

/** Outputs are moved to the caller; the runtime has handed them over. Strings are copied. */
function buffers(outputs: Outputs): ArrayBuffer[] {
  const all = Object.values(outputs).map(({ data }) => data.buffer);
  return [...new Set(all.filter((buffer) => buffer instanceof ArrayBuffer))];
}
