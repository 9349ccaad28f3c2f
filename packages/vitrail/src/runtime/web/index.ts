import type { CompileOptions } from "../../options.js";
import { executionOf } from "../execution.js";
import { type Explainer, explainerOver } from "../explainer.js";
import type { Labels } from "../labels.js";
import { load } from "../load.js";
import { failure, messageOf, problem } from "../problem.js";
import { pairSession } from "../session.js";
import { type WebRuntimeOptions, webRuntime } from "./native.js";

export * from "../index.js";
export type { WebRuntimeOptions } from "./native.js";

export type ExplainerOptions = CompileOptions &
  WebRuntimeOptions & {
    /** What the classes are called, for targets by name: a list, or `id2label` of config.json. */
    labels?: Labels | undefined;
  };

/** Compiles a model, given as bytes or fetched from an address, and opens it on onnxruntime-web. */
export async function createExplainer(
  model: string | URL | Uint8Array | ArrayBuffer,
  { device, threads, wasmPaths, externalData, optimisation, int8, labels, ...compile }: ExplainerOptions = {},
): Promise<Explainer> {
  const bytes = await bytesOf(model);
  const { original, toRun, findings: found } = load(bytes, compile);
  const open = await webRuntime({ device, threads, wasmPaths, externalData, optimisation, int8 });
  const findings = { ...found, execution: executionOf(device ?? "wasm", { optimisation, int8 }).used };
  const openPrediction = toRun && (() => open(original));
  return explainerOver(pairSession(await open(toRun?.(original) ?? original), openPrediction), findings, labels);
}

async function bytesOf(model: string | URL | Uint8Array | ArrayBuffer): Promise<Uint8Array> {
  if (model instanceof Uint8Array) return model;
  return model instanceof ArrayBuffer ? new Uint8Array(model) : fetchBytes(model);
}

async function fetchBytes(address: string | URL): Promise<Uint8Array> {
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const at = String(address);
    throw failure(problem("E070", { at, why: messageOf(error), try: "check the address and the network" }));
  }
}
