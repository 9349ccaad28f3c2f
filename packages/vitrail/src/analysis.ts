/** What a model shows of itself: what is explained, by which input, where it attends. Found from structure, never from names. */

import { type AttentionSite, findSites } from "./canonicalize/attention-site.js";
import {
  type FinalFunction,
  finalActivation,
  isSorted,
  movedScores,
  originOf,
} from "./canonicalize/final-activation.js";
import { loneNorm } from "./canonicalize/lone-norm.js";
import type { ModelGraph } from "./canonicalize/model-graph.js";
import type { UnitFinder } from "./canonicalize/unit.js";
import { type DiagnosticCode, diagnostic, fail, VitrailError } from "./errors.js";
import { classAxis } from "./flow/output.js";
import type { Readout } from "./flow/readout.js";
import { dataInputs, type Node, place, type Value } from "./ir/graph.js";
import { ancestors } from "./ir/traverse.js";
import { type Dim, equal } from "./tensor/dim.js";
import { isFloat } from "./tensor/element-type.js";

/** Where data begins for the explained input: a float input itself, or the embeddings looked up by its ids. */
export interface Source {
  readonly kind: "input" | "embedding";
  readonly value: Value;
  readonly input: string;
}

/** A source with what input methods explain of it. */
export interface ExplainedSource extends Source {
  /** The value itself; where looked-up embeddings go into a norm alone, the norm's output. */
  readonly point: Value;
  /** Name of that norm's node. */
  readonly norm?: string;
}

/** Where an explanation starts: at the scores before a final softmax or sigmoid, or at what the file gives. */
export type Start = "logit" | "probability";

/** What the file's own last step makes of its scores. */
export interface Activation {
  readonly function: FinalFunction;
  /** Name of its node. */
  readonly node: string;
  /** Shares of classes that exclude each other, all of them; else each number is a probability by itself. */
  readonly exclusive: boolean;
}

/** The explained output: as the file gives it, and where the explanation starts. */
export interface ExplainedOutput {
  readonly name: string;
  readonly given: Value;
  readonly start: Value;
  readonly from: Start;
  readonly activation: Activation | undefined;
}

export interface Analysis {
  readonly model: ModelGraph;
  readonly explained: ExplainedOutput;
  readonly outputName: string;
  /** Where the explanation starts, in the shape of what the file gives. */
  readonly output: Value;
  readonly source: ExplainedSource;
  /** Every source of the model on the path to the output. */
  readonly sources: readonly Source[];
  /** Sites of the explained tower, in data-flow order. */
  readonly sites: readonly AttentionSite[];
  readonly towards: ReadonlySet<Value>;
  readonly units: UnitFinder;
  /** The read-out that the caller named, if any. */
  readonly readout: Readout | undefined;
}

export interface Choice {
  readonly explains?: string | undefined;
  readonly readout?: Readout | undefined;
  /** Nothing is pulled back: operators that nobody knows are no hindrance. */
  readonly forwardOnly?: boolean;
}

export function analyse(model: ModelGraph, explained: ExplainedOutput, choice: Choice): Analysis {
  const { name: outputName, start: output } = explained;
  const nodes = ancestors([output], dataInputs);
  const sources = findSources(model, nodes, output);
  if (!choice.forwardOnly) refuseUnknown(model, nodes);
  refuseCaches(nodes, sources);
  refuseWithoutSamples(model, outputName, output);
  const source = chooseSource(model, sources, nodes, choice.explains);
  const towards = reachable(nodes, new Set(sources.filter((s) => s.input === source.input).map((s) => s.value)));
  const sites = findSites(output)
    .filter((s) => towards.has(s.values))
    .map((s, index) => ({ ...s, index }));
  const order = new Map(nodes.map((n, i) => [n, i]));
  const units = { operators: model.builder.operators, position: (n: Node) => order.get(n) ?? -1 };
  return {
    model,
    explained,
    outputName,
    output,
    source: pointOf(source, units, nodes),
    sources,
    sites,
    towards,
    units,
    readout: choice.readout,
  };
}

function pointOf(source: Source, units: UnitFinder, nodes: readonly Node[]): ExplainedSource {
  const norm = source.kind === "embedding" ? loneNorm(units, nodes, source.value) : undefined;
  return norm ? { ...source, point: norm.output, norm: norm.node } : { ...source, point: source.value };
}

/** The output that is explained, by name or by choice, and where the explanation starts. */
export function explainedOutput(
  model: ModelGraph,
  { output: wanted, from = "logit" }: { readonly output?: string | undefined; readonly from?: Start | undefined },
): ExplainedOutput {
  const { builder: b } = model;
  const name = chooseOutput(model, wanted);
  const given = model.outputs.get(name)!;
  const found = finalActivation(b, given);
  if (!found) {
    if (from === "logit") return { name, given, start: given, from, activation: undefined };
    fail("E043", "", {
      at: `output "${name}"`,
      why: "it ends in no softmax or sigmoid: what it gives are scores",
      try: 'leave "from" away, or another output',
    });
  }
  const exclusive = /softmax$/.test(found.function) && equal(extentOfClasses(given), extentOfClasses(found.scores));
  const activation: Activation = { function: found.function, node: found.node, exclusive };
  return { name, given, start: from === "logit" ? movedScores(b, found) : given, from, activation };
}

/** Numbers that exclude each other, for one sample at one place. */
function extentOfClasses(value: Value): Dim {
  const { shape = [] } = value;
  return shape.length < 2 ? 1 : (shape[classAxis(value) ?? shape.length - 1] ?? 1);
}

/** What control flow leaves open until the model runs. */
const CONTROL_FLOW: Readonly<Record<string, string>> = {
  If: "its condition",
  Loop: "how often it runs",
  Scan: "how often it runs",
};

/** Operators that choose or draw: there is no derivative that anybody could add. */
const NOT_DIFFERENTIABLE = new Set(["NonMaxSuppression", "Unique", "Bernoulli", "Multinomial", "StringNormalizer"]);

/** Operators without an entry on the way to the output, all of them at once. */
function refuseUnknown(model: ModelGraph, nodes: readonly Node[]): void {
  const unknown = nodes.filter((n) => !model.builder.operators.has(n.operator));
  if (unknown.length === 0) return;
  const clear = outputsWithout(model, new Set(unknown.map((n) => n.operator)));
  const other = clear.length > 0 ? `--output ${clear.map((name) => `"${name}"`).join(" or ")}` : "";
  const hint = other
    ? `${other}, which does not depend on it`
    : 'export the model without it, or a method that needs nothing but forward passes ("vitrail methods" says which)';
  throw new VitrailError(
    unknown.map((n) => {
      const [code, why] = reasonAgainst(n.operator);
      return diagnostic(code, n.operator, { at: place(n), node: n.source, why, try: hint });
    }),
  );
}

function reasonAgainst(operator: string): [DiagnosticCode, string] {
  const open = CONTROL_FLOW[operator];
  if (open) return ["E023", `the explained output depends on it, and ${open} is known only when the model runs`];
  if (NOT_DIFFERENTIABLE.has(operator))
    return ["E021", "the explained output depends on it, and it is not differentiable"];
  return ["E020", "the explained output depends on it, and nothing is known of its gradient"];
}

/** Outputs that could be explained instead: they depend on data, and on none of these operators. */
function outputsWithout(model: ModelGraph, operators: ReadonlySet<string>): string[] {
  return [...model.outputs].flatMap(([name, value]) => {
    const usable = isFloat(value.type) && value.data;
    return usable && !ancestors([value], dataInputs).some((n) => operators.has(n.operator)) ? [name] : [];
  });
}

/**
 * One row of the output is one sample of the inputs. Where the inputs say which of their axes the output's first one is, and it is
 * not their first, the output has lost the samples: [tokens, tokens] of a batch of one.
 */
function refuseWithoutSamples({ inputs }: ModelGraph, name: string, { shape = [] }: Value): void {
  const [rows] = shape;
  const given = [...inputs].flatMap(([input, v]) => (v.shape && v.shape.length > 0 ? [{ input, dims: v.shape }] : []));
  if (rows === undefined || shape.length < 2 || given.some(({ dims }) => equal(dims[0]!, rows))) return;
  const other = typeof rows === "number" ? undefined : given.find(({ dims }) => dims.some((d) => equal(d, rows)));
  if (!other && (rows === 1 || given.some(({ dims }) => dims[0] !== 1))) return;
  const means = other
    ? `its first axis is axis ${other.dims.findIndex((d) => equal(d, rows))} of input "${other.input}"`
    : `it has ${rows} rows, and the inputs are one sample`;
  fail("E042", "", {
    at: `output "${name}" [${shape.join(", ")}]`,
    why: `${means}: its rows are no samples`,
    try: "another output with --output; or export the model with the batch as the output's first axis",
  });
}

/** Keys and values of earlier steps are inputs that are joined to what the model computes of its other inputs. */
function refuseCaches(nodes: readonly Node[], sources: readonly Source[]): void {
  const inputs = new Map(sources.filter((s) => s.kind === "input").map((s) => [s.value, s.input]));
  const caches = nodes
    .filter((n) => n.operator === "Concat" && dataInputs(n).length > 1)
    .flatMap((n) => dataInputs(n).flatMap((v) => inputs.get(v) ?? []));
  if (caches.length > 0 && sources.some((s) => s.kind === "embedding"))
    fail("E033", "", {
      at: `input "${caches[0]}"`,
      why: "it keeps a cache of keys and values",
      try: "export the model without a cache (use_cache=False, a task without -with-past)",
    });
}

/** The first floating-point output that depends on data; of several, one that depends on attention, is not sorted and has the fewest axes. */
function chooseOutput(model: ModelGraph, wanted: string | undefined): string {
  const all = [...model.outputs.keys()];
  if (wanted !== undefined) {
    const value = model.outputs.get(wanted);
    if (!value)
      fail("E012", `"${wanted}"`, {
        why: `the model has ${all.join(", ")}`,
        try: `--output ${JSON.stringify(all[0])}`,
      });
    if (!isFloat(value.type) || !value.data)
      fail("E032", "", {
        at: `output "${wanted}"`,
        why: "it does not depend on the input in a differentiable way",
        try: "another output; vitrail inspect lists them",
      });
    return wanted;
  }
  const candidates = withoutTwins(
    model,
    all.filter((name) => model.outputs.get(name)!.data),
  );
  const attending = candidates.filter((name) => findSites(model.outputs.get(name)!).length > 0);
  const [best] = [...(attending.length > 0 ? attending : candidates)].sort(
    (a, c) =>
      Number(isSorted(model.builder, model.outputs.get(a)!)) - Number(isSorted(model.builder, model.outputs.get(c)!)) ||
      (model.outputs.get(a)!.rank ?? 9) - (model.outputs.get(c)!.rank ?? 9),
  );
  if (!best)
    fail("E032", "", {
      why: `no output depends on the input in a differentiable way (${all.join(", ")})`,
      try: "export the model with its logits or embeddings as an output",
    });
  return best;
}

/** Without probabilities whose scores are an output as well. */
function withoutTwins({ builder: b, outputs }: ModelGraph, names: readonly string[]): readonly string[] {
  const final = new Set(names.filter((name) => finalActivation(b, outputs.get(name)!)));
  const origins = new Set(names.filter((name) => !final.has(name)).map((name) => originOf(b, outputs.get(name)!)));
  return names.filter((name) => !final.has(name) || !origins.has(originOf(b, outputs.get(name)!)));
}

function findSources(model: ModelGraph, nodes: readonly Node[], output: Value): Source[] {
  const found = new Map<Value, Source>();
  const names = new Map([...model.inputs].map(([name, v]) => [v, name]));
  const visit = (value: Value) => {
    if (!value.data || found.has(value)) return;
    const name = names.get(value);
    if (name !== undefined) found.set(value, { kind: "input", value, input: name });
    else if (value.pixels && names.has(value.pixels)) {
      found.set(value, { kind: "input", value, input: names.get(value.pixels)! });
    } else if (value.lookup) {
      const ids = idsInput(value.lookup.ids, names);
      if (ids) found.set(value, { kind: "embedding", value, input: ids });
    }
  };
  for (const node of nodes) for (const v of [...node.inputs, ...node.outputs]) if (v) visit(v);
  visit(output);
  return [...found.values()];
}

/** The graph input that ids come from; the nearest one where several have a part. */
function idsInput(ids: Value, names: ReadonlyMap<Value, string>): string | undefined {
  const queue = [ids];
  const seen = new Set<Value>();
  for (let v = queue.shift(); v; v = queue.shift()) {
    const name = names.get(v);
    if (name !== undefined) return name;
    if (seen.has(v)) continue;
    seen.add(v);
    if (v.producer && v.producer.operator !== "Shape")
      for (const input of v.producer.inputs) if (input?.dependent) queue.push(input);
  }
  return undefined;
}

/** An input that embeddings are looked up with, and how many there are. */
export interface LookedUp {
  readonly input: string;
  readonly rows: number;
}

/** All of a model's, whether its outputs depend on them or not. */
export function lookedUp({ inputs, builder }: ModelGraph): LookedUp[] {
  const names = new Map([...inputs].map(([name, v]) => [v, name]));
  return builder.nodes.flatMap(({ outputs }) =>
    outputs.flatMap(({ lookup }) => {
      const input = lookup && idsInput(lookup.ids, names);
      const rows = lookup?.table.shape?.[0];
      return input === undefined ? [] : [{ input, rows: typeof rows === "number" ? rows : 0 }];
    }),
  );
}

/** Pictures first, then the ids with the largest table. */
function chooseSource(
  model: ModelGraph,
  sources: readonly Source[],
  nodes: readonly Node[],
  wanted: string | undefined,
): Source {
  const offered = [...new Set(sources.map((s) => s.input))];
  if (wanted !== undefined) {
    const found = bestSource(sources.filter((s) => s.input === wanted));
    if (found) return found;
    fail(model.inputs.has(wanted) ? "E032" : "E013", `"${wanted}"`, {
      why: `the explained output depends on ${offered.join(", ") || "no input"} in a differentiable way`,
      try: offered.length > 0 ? `--explains ${offered.join(" or ")}` : "another output with --output",
    });
  }
  const best = bestSource(sources);
  if (!best)
    fail("E032", "", {
      why: `no input leads to the output in a differentiable way (${nodes.length} nodes looked at)`,
      try: "choose the output with --output",
    });
  return best;
}

function bestSource(sources: readonly Source[]): Source | undefined {
  const weight = (s: Source): number => {
    if (s.kind === "input") return 1e15 + (s.value.rank ?? 0);
    const rows = s.value.lookup!.table.shape?.[0];
    return typeof rows === "number" ? rows : 0;
  };
  return [...sources].sort((a, c) => weight(c) - weight(a))[0];
}

/** Data values that depend on one of the sources. */
function reachable(nodes: readonly Node[], sources: ReadonlySet<Value>): Set<Value> {
  const set = new Set(sources);
  for (const node of nodes)
    if (node.inputs.some((v) => v?.data && set.has(v))) for (const v of node.outputs) if (v.data) set.add(v);
  return set;
}
