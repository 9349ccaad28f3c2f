import type { Diagnostic } from "../../errors.js";
import type { CompileOptions } from "../../options.js";
import type { ExecutionOptions } from "../execution.js";
import type { Findings } from "../load.js";
import type { Part } from "../session.js";
import type { Feeds, Outputs } from "../tensor.js";

/** What the caller's thread asks of the worker that holds the sessions. */
export interface Calls {
  open: { argument: OpenRequest; result: Findings };
  run: { argument: { feeds: Feeds; part: Part }; result: Outputs };
  close: { argument: null; result: null };
}

export interface OpenRequest {
  /** A file is read, compiled and loaded in the worker, so that none of it blocks the caller. */
  model: string | Uint8Array;
  compile: CompileOptions;
  runtime: RuntimeOptions;
}

export interface RuntimeOptions extends ExecutionOptions {
  /** `cpu` is onnxruntime-node; `wasm` is onnxruntime-web, which runs where the other has no binary. */
  device?: "cpu" | "wasm" | undefined;
  /** Threads of one run; the runtime's own choice by default. */
  threads?: number | undefined;
  /**
   * A third less memory for a twentieth more time (`cpu`): weights are neither packed for speed nor kept in several forms (measured
   * with ViT-B; docs/decisions/0009).
   */
  lowMemory?: boolean | undefined;
  /** Where a model given as bytes keeps its external data. */
  folder?: string | undefined;
}

export type CallName = keyof Calls;
export type Request = { [Name in CallName]: { id: number; call: Name; argument: Calls[Name]["argument"] } }[CallName];
export type Reply =
  | { id: number; result: Calls[CallName]["result"] }
  | { id: number; error: { message: string; diagnostics?: readonly Diagnostic[] } };
