import { type ExecutionOptions, executionOf } from "../execution.js";
import { failure, messageOf, problem } from "../problem.js";
import type { NativeSession, OpenNative } from "../session.js";
import type { Feeds, Outputs } from "../tensor.js";

export interface WebRuntimeOptions extends ExecutionOptions {
  /** `wasm` runs everywhere; `webgpu` wants a browser that has it. */
  device?: "wasm" | "webgpu" | undefined;
  /** More than one needs a cross-origin isolated page; the runtime's own choice by default. */
  threads?: number | undefined;
  /** Where the runtime finds its .wasm files, when a bundler does not say so. */
  wasmPaths?: string | { wasm?: string; mjs?: string } | undefined;
  /** The files that hold a model's weights, by the path that stands in the model. */
  externalData?: readonly { path: string; data: Uint8Array | string }[] | undefined;
}

/** The part of onnxruntime-web that is used. */
interface OnnxRuntime {
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => object;
  InferenceSession: { create(bytes: Uint8Array, options: object): Promise<RuntimeSession> };
  env: { wasm: { numThreads?: number; wasmPaths?: unknown } };
}
interface RuntimeSession {
  run(feeds: object): Promise<Record<string, RuntimeTensor>>;
  release(): Promise<void>;
}
type RuntimeTensor = Outputs[string] & { getData(release?: boolean): Promise<unknown>; dispose(): void };

/** Sessions and runs wait for one another across explainers too: the runtime allows no two at once on a page. */
let last: Promise<unknown> = Promise.resolve();
function alone<T>(task: () => Promise<T>): Promise<T> {
  const result = last.then(task);
  last = result.catch(() => undefined);
  return result;
}

export async function webRuntime(options: WebRuntimeOptions): Promise<OpenNative> {
  const { device = "wasm", threads, wasmPaths, externalData } = options;
  const runtime = await importRuntime(device);
  if (threads !== undefined) runtime.env.wasm.numThreads = threads;
  if (wasmPaths !== undefined) runtime.env.wasm.wasmPaths = wasmPaths;
  const sessionOptions = {
    executionProviders: [device],
    logSeverityLevel: 4,
    ...executionOf(device, options).options,
    ...(externalData && { externalData }),
  };
  return async (bytes) => {
    try {
      const session = await alone(() => runtime.InferenceSession.create(bytes, sessionOptions));
      return wrap(runtime, session);
    } catch (error) {
      const hint = device === "webgpu" ? 'a browser with WebGPU, or { device: "wasm" }' : "a newer onnxruntime-web";
      throw failure(problem("E066", { at: `onnxruntime-web (${device})`, why: messageOf(error), try: hint }));
    }
  };
}

function wrap({ Tensor }: OnnxRuntime, session: RuntimeSession): NativeSession {
  const run = async (feeds: Feeds): Promise<Outputs> => {
    const own = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]);
    const outputs = await session.run(Object.fromEntries(own));
    const plain = Object.entries(outputs).map(async ([name, output]) => {
      const data = await output.getData();
      const { type, dims } = output;
      output.dispose();
      return [name, { type, dims, data }];
    });
    return Object.fromEntries(await Promise.all(plain)) as Outputs;
  };
  return {
    run: (feeds) =>
      alone(() => run(feeds)).catch((error: unknown) => {
        const hint = "check the shapes and values of the inputs";
        throw failure(problem("E067", { why: messageOf(error), try: hint }));
      }),
    release: () => alone(() => session.release()),
  };
}

/** The two builds differ in size, so only the one that is used is loaded. Bundlers see both names. */
async function importRuntime(device: "wasm" | "webgpu"): Promise<OnnxRuntime> {
  try {
    const module = device === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
    return module as unknown as OnnxRuntime;
  } catch (error) {
    const hint = "npm install onnxruntime-web";
    throw failure(problem("E065", { at: "onnxruntime-web", why: messageOf(error), try: hint }));
  }
}
