import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import { VitrailError } from "../../errors.js";
import type { CompileOptions } from "../../options.js";
import { type Findings, load } from "../load.js";
import { failure, messageOf, problem } from "../problem.js";
import { type OpenNative, pairSession, type Session } from "../session.js";
import type { Outputs } from "../tensor.js";
import { externalData } from "./external-data.js";
import { nativeRuntime } from "./native.js";
import type { OpenRequest, Reply, Request } from "./protocol.js";

/** The worker thread that compiles, loads and runs a model: ONNX Runtime blocks the thread it runs on. */
const port = parentPort!;
let session: Session | undefined;

async function open({ model, compile, runtime }: OpenRequest): Promise<Findings> {
  const folder = runtime.folder ?? (typeof model === "string" ? dirname(model) : undefined);
  const openNative = await nativeRuntime(runtime, (bytes) => externalData(bytes, folder));
  // What is large is named by no variable here, so that it can go as soon as the runtime has taken it over. A file is read
  // again for the prediction, if that is ever asked for.
  const { findings, prefix, explanation } = await compileAndOpen(model, compile, openNative);
  session = pairSession(explanation, async () => openNative((await read(model)).subarray(0, prefix)));
  return findings;
}

async function compileAndOpen(model: string | Uint8Array, options: CompileOptions, openNative: OpenNative) {
  const { bytes, findings, prefix } = load(await read(model), options);
  return { findings, prefix, explanation: await openNative(bytes) };
}

const read = async (model: string | Uint8Array): Promise<Uint8Array> =>
  typeof model === "string" ? readModelFile(model) : model;

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw failure(problem("E070", { at: path, why: messageOf(error), try: "check the path" }));
  }
}

async function run({ feeds, part }: Extract<Request, { call: "run" }>["argument"]): Promise<Outputs> {
  try {
    return await session!.run(feeds, part);
  } catch (error) {
    throw failure(problem("E067", { why: messageOf(error), try: "check the shapes and values of the inputs" }));
  }
}

async function answer(request: Request) {
  if (request.call === "open") return open(request.argument);
  if (request.call === "run") return run(request.argument);
  await session?.close();
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

/** Outputs are moved to the caller; the runtime has handed them over. */
const buffers = (outputs: Outputs): ArrayBuffer[] => [
  ...new Set(Object.values(outputs).map((output) => output.data.buffer as ArrayBuffer)),
];
