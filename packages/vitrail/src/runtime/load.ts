import { inspect } from "../inspect.js";
import { type Metadata, readMetadata } from "../metadata.js";
import type { CompileOptions } from "../options.js";
import { type Driving, prepare } from "../prepare.js";
import type { Report } from "../report.js";

/** What is known about a model that explains itself, or that is driven; without `print`, which cannot cross threads. */
export interface Findings extends Omit<Report, "print" | "metadata"> {
  readonly metadata: Metadata;
  /** How a method of many runs is driven; undefined for methods that are a graph. */
  readonly driving?: Driving | undefined;
}

/** What to run, what is known about it, and how many bytes of the model that was given are the original. */
export interface Loaded {
  readonly bytes: Uint8Array;
  readonly findings: Findings;
  readonly prefix: number;
  /** Whether `bytes` are more than the original: the prediction then needs a session of its own. */
  readonly appended: boolean;
}

/** Compiles a model. One that is compiled already is taken as it is, unless options ask for something else. */
export function load(model: Uint8Array, options: CompileOptions = {}): Loaded {
  const asked = Object.values(options).some((value) => value !== undefined);
  const metadata = asked ? undefined : readMetadata(model);
  if (metadata) return loaded(model, inspect(model), metadata);
  const { bytes, report, metadata: made, driving } = prepare(model, options);
  return loaded(bytes, report, made, driving);
}

function loaded(bytes: Uint8Array, { print: _, ...findings }: Report, metadata: Metadata, driving?: Driving): Loaded {
  const appended = driving?.program !== null;
  return { bytes, findings: { ...findings, metadata, driving }, prefix: metadata.source.bytes, appended };
}
