import { realpath } from "node:fs/promises";
import { executionOf } from "../execution.js";
import { failure, messageOf, problem } from "../problem.js";
import type { NativeSession, OpenNative } from "../session.js";
import type { Feeds, Outputs } from "../tensor.js";
import { externalData, externalFiles, leavesFolder } from "./external-data.js";
import type { RuntimeOptions } from "./protocol.js";

/** The two ONNX Runtimes that Node can run are used through the part of their interface that they share. */
interface OnnxRuntime {
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => object;
  InferenceSession: {
    create(
      bytes: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<unknown>; release(): Promise<void> }>;
  };
  env: { logLevel?: string; wasm: { numThreads?: number } };
}

const packages = { cpu: "onnxruntime-node", wasm: "onnxruntime-web" } as const;

/**
 * A plan of all buffers made ahead saves no time that could be measured and takes a sixth of the memory. The arena never gives back
 * what loading used (230 MB with ViT-B), but a run without it takes 3 to 7 % longer.
 */
const cpuOptions = (lowMemory: boolean, folder: string | undefined, session: object) => ({
  enableMemPattern: false,
  enableCpuMemArena: !lowMemory,
  extra: {
    session: {
      ...session,
      ...(lowMemory && { disable_prepacking: "1" }),
      ...(folder !== undefined && { model_external_initializers_file_folder_path: folder }),
    },
    ...(lowMemory && { optimization: { disable_specified_optimizers: "ConstantFolding" } }),
  },
});

export async function nativeRuntime({
  device = "cpu",
  threads,
  lowMemory = false,
  folder,
  ...choice
}: RuntimeOptions): Promise<OpenNative> {
  const { session, options: execution } = executionOf(device, choice);
  const runtime = await importRuntime(packages[device]);
  // Threads of the web runtime are browser workers; in Node it runs on one.
  if (device === "wasm") runtime.env.wasm.numThreads = 1;
  // A key that is present but undefined is refused by the runtime.
  const options = {
    executionProviders: [device],
    logSeverityLevel: 4,
    ...execution,
    ...(threads !== undefined && device === "cpu" && { intraOpNumThreads: threads }),
  };
  // On a CPU the runtime maps the files of external weights by itself where it may; else it is given what is in them.
  const filesAndMemory = async (bytes: Uint8Array, mappedFrom: string | undefined) => {
    if (device === "wasm") return { externalData: await externalData(bytes, folder) };
    if (mappedFrom !== undefined) return cpuOptions(lowMemory, mappedFrom, session);
    const paths = await externalFiles(bytes, folder);
    if (folder === undefined || paths.length === 0) return cpuOptions(lowMemory, undefined, session);
    if (!(await leavesFolder(paths, folder))) return cpuOptions(lowMemory, await realpath(folder), session);
    return { ...cpuOptions(lowMemory, undefined, session), externalData: await externalData(bytes, folder) };
  };
  return async (bytes, mappedFrom) => {
    const files = await filesAndMemory(bytes, mappedFrom);
    try {
      return wrap(runtime, await runtime.InferenceSession.create(bytes, { ...options, ...files }));
    } catch (error) {
      const hint = "a newer version of the runtime, or an export of the model to an older opset";
      throw failure(problem("E066", { at: packages[device], why: messageOf(error), try: hint }));
    }
  };
}

function wrap(
  { Tensor }: OnnxRuntime,
  session: Awaited<ReturnType<OnnxRuntime["InferenceSession"]["create"]>>,
): NativeSession {
  return {
    run: async (feeds: Feeds) => {
      const own = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]);
      const outputs = (await session.run(Object.fromEntries(own))) as Outputs;
      const plain = Object.entries(outputs).map(([name, { type, dims, data }]) => [name, { type, dims, data }]);
      return Object.fromEntries(plain) as Outputs;
    },
    release: () => session.release(),
  };
}

async function importRuntime(name: string): Promise<OnnxRuntime> {
  try {
    const module = (await import(name)) as OnnxRuntime & { default?: OnnxRuntime };
    return module.InferenceSession ? module : module.default!;
  } catch (error) {
    throw failure(problem("E065", { at: name, why: messageOf(error), try: `npm install ${name}` }));
  }
}
