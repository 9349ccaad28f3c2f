import { compile } from "../compile.js";
import { inspect } from "../inspect.js";
import { type Metadata, readMetadata } from "../metadata.js";
import type { CompileOptions } from "../options.js";
import type { Report } from "../report.js";

/** What is known about a compiled model; without `print`, which cannot cross threads. */
export interface Findings extends Omit<Report, "print" | "metadata"> {
  readonly metadata: Metadata;
}

/** A file that explains itself, what is known about it, and where the original model in it ends. */
export interface Loaded {
  readonly bytes: Uint8Array;
  readonly findings: Findings;
  readonly prefix: number;
}

/** Compiles a model. One that is compiled already is taken as it is, unless options ask for something else. */
export function load(model: Uint8Array, options: CompileOptions = {}): Loaded {
  const asked = Object.values(options).some((value) => value !== undefined);
  const metadata = asked ? undefined : readMetadata(model);
  if (metadata) return loaded(model, inspect(model), metadata);
  const { bytes, report } = compile(model, options);
  return loaded(bytes, report, report.metadata!);
}

function loaded(bytes: Uint8Array, { print: _, ...findings }: Report, metadata: Metadata): Loaded {
  return { bytes, findings: { ...findings, metadata }, prefix: metadata.source.bytes };
}
