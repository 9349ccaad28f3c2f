import { joined } from "../emit/joined.js";
import { inspect } from "../inspect.js";
import { type Metadata, readMetadata } from "../metadata.js";
import type { CompileOptions } from "../options.js";
import { type Driving, type Prepared, prepare } from "../prepare.js";
import type { Report } from "../report.js";
import type { Execution } from "./execution.js";

/** What is known about a model that explains itself, or that is driven; without `print`, which cannot cross threads. */
export interface Findings extends Omit<Report, "print" | "metadata"> {
  readonly metadata: Metadata;
  /** How a method of many runs is driven; undefined for methods that are a graph. */
  readonly driving?: Driving | undefined;
  /** How the runtime was told to compute; left out where a session was made by somebody else. */
  readonly execution?: Execution;
}

/** A model, what is run to explain it (prepare.ts), and what is known about it. */
export interface Loaded extends Pick<Prepared, "original" | "toRun"> {
  readonly findings: Findings;
}

/** Compiles a model. One that is compiled already is taken as it is, unless options ask for something else. */
export function load(model: Uint8Array, options: CompileOptions = {}): Loaded {
  const asked = Object.values(options).some((value) => value !== undefined);
  const metadata = asked ? undefined : readMetadata(model);
  if (metadata) {
    const { bytes } = metadata.source;
    const [original, patch] = [model.subarray(0, bytes), model.slice(bytes)];
    return { original, toRun: (own) => joined(own, patch), findings: findingsOf(inspect(model), metadata) };
  }
  const { original, toRun, report, metadata: made, driving } = prepare(model, options);
  return { original, toRun, findings: findingsOf(report, made, driving) };
}

const findingsOf = ({ print: _, ...found }: Report, metadata: Metadata, driving?: Driving): Findings => ({
  ...found,
  metadata,
  driving,
});
