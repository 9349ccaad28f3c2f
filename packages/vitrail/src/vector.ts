/**
 * One vector of length one per sample, appended to a model that gives a vector or one vector per token:
 *
 *     y = Σ_t w_t x_t / Σ_t w_t,   v = y / |y|      (w: the mask, or one at the first or the last token that it leaves)
 *
 * so that v · u is the cosine with any other direction u. Like an explanation it is a patch: the original stays an exact prefix.
 */
import { importModel } from "./canonicalize/import.js";
import { joined } from "./emit/joined.js";
import { writePatch } from "./emit/patch.js";
import { fail } from "./errors.js";
import type { Value } from "./ir/graph.js";
import { originalBytes } from "./metadata.js";
import { readModel } from "./onnx/model.js";
import type { Builder } from "./ops/builder.js";
import { counting } from "./ops/indexing.js";

/** How the vectors of tokens become one. */
export const poolings = ["mean", "class", "last"] as const;
export type Pooling = (typeof poolings)[number];

export interface VectorOptions {
  /** Name of a float output: [batch, width] is taken as it is, [batch, tokens, width] is pooled. */
  readonly output: string;
  /** Default `mean`. */
  readonly pooling?: Pooling;
  /** Name of the input that tells padding; default `attention_mask`. */
  readonly mask?: string | undefined;
}

/** The model with one more output, `[batch, width]`, and whether that had to be pooled. */
export interface WithVector {
  readonly bytes: Uint8Array;
  readonly output: string;
  readonly pooled: boolean;
}

/**
 * Appends the vector. Padding is told by the mask, where the model has one.
 * @throws VitrailError E012 for an output that is not there, E032 for one of another rank
 */
export function withVector(
  model: Uint8Array,
  { output, pooling = "mean", mask = "attention_mask" }: VectorOptions,
): WithVector {
  const original = originalBytes(model);
  const proto = readModel(original);
  const graph = importModel(proto);
  const b = graph.builder;
  b.pass = "vector";
  b.source = output;
  const value = graph.outputs.get(output);
  if (!value) fail("E012", `"${output}"`, { why: `the model has ${[...graph.outputs.keys()].join(", ")}` });
  const rank = value.shape?.length;
  if (rank !== 2 && rank !== 3)
    fail("E032", "", {
      at: `output "${output}"`,
      why: `it has ${rank ?? "unknown"} axes: neither a vector nor one per token`,
    });
  const x = b.asReal(value);
  const y = rank === 3 ? pool(b, x, graph.inputs.get(mask), pooling) : x;
  const vector = b.div(y, b.sqrt(b.reduceSum(b.square(y), [1])));
  b.pass = "output";
  const name = "vitrail/vector";
  const outputs = [{ name, value: b.emit("Identity", [vector]) }];
  const patch = writePatch({ b, taken: graph.names, inputs: [], outputs, metadata: {}, irVersion: proto.irVersion });
  return { bytes: joined(original, patch.bytes), output: name, pooled: rank === 3 };
}

function pool(b: Builder, x: Value, mask: Value | undefined, pooling: Pooling): Value {
  const [batch, tokens] = b.shape(x);
  const own = mask ? b.cast(mask, b.real) : b.expand(b.scalar(1), [batch!, tokens!]);
  const weights = b.unsqueeze(pooling === "mean" ? own : oneOf(b, own, pooling), [2]);
  return b.div(b.reduceSum(b.mul(x, weights), [1], false), b.reduceSum(weights, [1], false));
}

/** One at the first or the last token of each row that the mask leaves. */
function oneOf(b: Builder, mask: Value, which: "class" | "last"): Value {
  const places = counting(b, b.shape(mask)[1]!);
  const ranked = which === "class" ? mask : b.mul(mask, b.add(b.cast(places, b.real), 1));
  const best = b.emit("ArgMax", [ranked], { axis: 1, keepdims: 1 });
  return b.cast(b.emit("Equal", [best, places]), b.real);
}
