/** What a compiled model says of itself, in `metadata_props["vitrail"]`. */
import type { Activation, Analysis, ExplainedOutput, Start } from "./analysis.js";
import { isSorted } from "./canonicalize/final-activation.js";
import { fail } from "./errors.js";
import { type AxisName, axisNames } from "./flow/output.js";
import type { Patches } from "./flow/patches.js";
import type { OptionValues } from "./methods/method.js";
import { readModel } from "./onnx/model.js";
import { upgraded } from "./ops/upgrade.js";
import type { TargetMode } from "./seed.js";

export interface Metadata extends Tower {
  readonly version: string;
  readonly method: string;
  readonly options: OptionValues;
  /** Name of the explained output. */
  readonly output: string;
  /** Where the explanation starts: at scores, or behind the file's own softmax or sigmoid. */
  readonly from: Start;
  /** The softmax or sigmoid that the file ends in; null where it gives the scores themselves. Older files do not say. */
  readonly activation?: Activation | null;
  readonly target: {
    readonly name: string | null;
    readonly mode: TargetMode;
    /** With a leading axis for several targets, which the relevance then has too. */
    readonly several: boolean;
    /** What each axis of the explained output behind the batch is: what the numbers of one target mean. */
    readonly axes?: readonly AxisName[] | undefined;
  };
  /** Further explained inputs, each with a relevance output of its own. */
  readonly further?: readonly Tower[];
  readonly source: { readonly sha256: string; readonly bytes: number };
}

/** What is known about one explained input and the part of the model that reads it. */
export interface Tower {
  /** Name of the explained input. */
  readonly explains: string;
  /** Which tokens the head reads, in words. */
  readonly readout: string;
  readonly relevance: { readonly name: string; readonly kind: "tokens" | "input" };
  /** Node of the norm whose output an input method explains in place of the looked-up embeddings that go into it alone. */
  readonly norm?: string;
  /** Leading special tokens, and where the others lie. */
  readonly tokens: ({ readonly prefix: number } & Patches) | null;
  /** The output [batch, 2 + blocks] that tells how far the numbers can be trusted, where it was asked for. */
  readonly stability?: { readonly name: string };
  /** Names of the softmax nodes whose attention is used, in data-flow order. */
  readonly sites: readonly string[];
}

/** What is noted of the explained output. */
export const outputOf = ({
  name: output,
  from,
  activation,
}: ExplainedOutput): Pick<Metadata, "output" | "from" | "activation"> => ({
  output,
  from,
  activation: activation ?? null,
});

/** What a target's numbers mean. */
export function targetAxes({ explained, source, model }: Analysis): readonly AxisName[] | undefined {
  const picture = source.kind === "input" && source.value.rank === 4;
  const axes = axisNames(explained.given, source.kind === "embedding" ? "tokens" : picture ? "picture" : "other");
  if (!axes || !isSorted(model.builder, explained.given)) return axes;
  return axes.map((axis) => (axis === "class" ? "rank" : axis));
}

/** The metadata of a compiled model; undefined for any other model. */
export function readMetadata(model: Uint8Array): Metadata | undefined {
  if (!mentions(model, "vitrail")) return undefined;
  const entry = readModel(model).metadataProps.findLast((p) => p.key === "vitrail");
  return entry && parsed(entry.value, model.length);
}

/** @throws VitrailError E048 where it is not what a compilation writes: such a file cannot be cut back to its original */
function parsed(text: string, size: number): Metadata {
  const damaged = (why: string) =>
    fail("E048", "", {
      at: 'metadata "vitrail"',
      why,
      try: "compile the original model again, or take the entry out of the file's metadata_props",
    });
  let read: Partial<Metadata> | null;
  try {
    read = JSON.parse(text);
  } catch {
    return damaged("it is not JSON");
  }
  const { source, relevance, target } = read ?? {};
  const bytes = source?.bytes;
  if (typeof bytes !== "number" || !Number.isInteger(bytes) || bytes <= 0 || bytes >= size)
    return damaged("it does not say how many bytes of the file are the original's");
  if (typeof relevance?.name !== "string" || typeof target !== "object" || target === null)
    return damaged("it does not name what the patch has added");
  return read as Metadata;
}

/**
 * What an explanation is appended to: a compiled model cut back to what it was made from; a file of an operator set below 11 as the
 * same model in set 11 (ops/upgrade.ts); any other file itself.
 */
export function originalBytes(model: Uint8Array): Uint8Array {
  const metadata = readMetadata(model);
  return upgraded(metadata ? model.subarray(0, metadata.source.bytes) : model);
}

/** The patch, and with it the word, stands at the end: looking there first spares a second parse of large files. */
function mentions(bytes: Uint8Array, word: string): boolean {
  const tail = bytes.subarray(Math.max(0, bytes.length - 1_000_000));
  const first = word.charCodeAt(0);
  for (let at = tail.indexOf(first); at >= 0; at = tail.indexOf(first, at + 1))
    if ([...word].every((c, i) => tail[at + i] === c.charCodeAt(0))) return true;
  return false;
}
