import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import { VitrailError } from "../../errors.js";
import { refuseTooLarge } from "../../onnx/size.js";
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
  const read = typeof model === "string" ? fileReader(model) : async () => model;
  // What is large is named by no variable here, so that it can go as soon as the runtime has taken it over. A file is read
  // again for the prediction, if that is ever asked for.
  const { findings, prefix, appended, explanation } = await compileAndOpen(read, compile, openNative);
  const openPrediction = async () => openNative((await read()).subarray(0, prefix));
  session = pairSession(explanation, appended ? openPrediction : undefined);
  return findings;
}

async function compileAndOpen(read: () => Promise<Uint8Array>, options: CompileOptions, openNative: OpenNative) {
  const { bytes, ...loaded } = load(await read(), options);
  return { ...loaded, explanation: await openNative(bytes) };
}

/** Reads a file, every time the same one. */
function fileReader(path: string): () => Promise<Uint8Array> {
  let first: string | undefined;
  return async () => {
    try {
      const { size, mtimeMs } = await stat(path);
      refuseTooLarge(size, path);
      first ??= `${size} ${mtimeMs}`;
      if (first !== `${size} ${mtimeMs}`) throw new Error("it has changed since it was opened");
      return await readFile(path);
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      throw failure(problem("E070", { at: path, why: messageOf(error), try: "check the file and open it again" }));
    }
  };
}

async function run({ feeds, part }: Extract<Request, { call: "run" }>["argument"]): Promise<Outputs> {
  try {
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
