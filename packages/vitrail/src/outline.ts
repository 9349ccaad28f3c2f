/**
 * A model as its declarations say it: inputs, outputs, and which ids embeddings are looked up with, where that can be read. Enough for
 * methods that need nothing but forward passes, whatever else stands in the graph.
 */
import { type LookedUp, lookedUp } from "./analysis.js";
import { declaredGraph, importModel } from "./canonicalize/import.js";
import type { ModelGraph } from "./canonicalize/model-graph.js";
import { fail, VitrailError } from "./errors.js";
import type { Value } from "./ir/graph.js";
import type { ModelProto } from "./onnx/generated/onnx_pb.js";
import { isFloat, isInteger } from "./tensor/element-type.js";

export interface Outline {
  readonly graph: ModelGraph;
  readonly output: string;
  readonly explains: string;
  /** The explained input holds ids of tokens. */
  readonly ids: boolean;
  /** Integers beside the ids that no embedding is looked up with. */
  readonly masks: readonly string[];
}

export function outlineOf(
  model: ModelProto,
  wanted: { readonly output?: string | undefined; readonly explains?: string | undefined },
): Outline {
  const graph = declaredGraph(model);
  const lookups = lookupsOf(model);
  const explains = chosenInput(graph, lookups, wanted.explains);
  const ids = isIds(graph.inputs.get(explains)!);
  const looked = new Set(lookups.map(({ input }) => input));
  const masks = [...graph.inputs].flatMap(([name, v]) =>
    ids && isIds(v) && name !== explains && !looked.has(name) ? [name] : [],
  );
  return { graph, output: chosenOutput(graph, wanted.output), explains, ids, masks };
}

/** What is read of the graph as far as it can be read at all. */
function lookupsOf(model: ModelProto): readonly LookedUp[] {
  try {
    return lookedUp(importModel(model));
  } catch (error) {
    if (error instanceof VitrailError) return [];
    throw error;
  }
}

/** Of floating-point outputs the one with the fewest axes, as for any method. */
function chosenOutput({ outputs }: ModelGraph, wanted: string | undefined): string {
  const names = [...outputs.keys()];
  if (wanted !== undefined) {
    if (outputs.has(wanted)) return wanted;
    return fail("E012", `"${wanted}"`, { why: `the model has ${names.join(", ")}`, try: `--output "${names[0]}"` });
  }
  const floats = names.filter((name) => isFloat(outputs.get(name)!.type));
  const [best] = floats.sort((a, b) => (outputs.get(a)!.rank ?? 9) - (outputs.get(b)!.rank ?? 9));
  return best ?? fail("E032", "", { why: `no output holds floating-point numbers (${names.join(", ")})` });
}

/** Pictures first, then the ids with the largest table, then other numbers, then the only ids that there are. */
function chosenInput({ inputs }: ModelGraph, lookups: readonly LookedUp[], wanted: string | undefined): string {
  const names = [...inputs.keys()];
  if (wanted !== undefined) {
    if (inputs.has(wanted)) return wanted;
    return fail("E013", `"${wanted}"`, { why: `the model has ${names.join(", ")}`, try: `--explains "${names[0]}"` });
  }
  const named = (fits: (v: Value) => boolean) => names.filter((name) => fits(inputs.get(name)!));
  const [picture] = named((v) => v.rank === 4 && (isFloat(v.type) || v.type === "uint8"));
  const [largest] = [...lookups].sort((a, b) => b.rows - a.rows);
  const found = picture ?? largest?.input ?? named((v) => isFloat(v.type) && (v.rank ?? 0) > 1)[0];
  if (found !== undefined) return found;
  const ids = named(isIds);
  if (ids.length === 1) return ids[0]!;
  return fail("E032", "", {
    why: `nothing says which of the inputs is to be explained (${names.join(", ")})`,
    try: `--explains ${ids.join(" or ") || names.join(" or ")}`,
  });
}

const isIds = (v: Value): boolean => isInteger(v.type) && v.rank !== 4;
