/** Runs a method over an analysed model: which passes it needs, how rows are walked, and what comes out. */
import type { Analysis } from "./analysis.js";
import type { AttentionSite } from "./canonicalize/attention-site.js";
import { unitInput } from "./canonicalize/unit.js";
import { fail } from "./errors.js";
import { flowToTokens } from "./flow/flow.js";
import { keptAtoms } from "./flow/layout.js";
import { classAxis } from "./flow/output.js";
import { type Row, sizes, total } from "./flow/row.js";
import { gradientStep, pullBack } from "./gradient/reverse.js";
import { dataInputs, type Node, place, type Value } from "./ir/graph.js";
import { ancestors } from "./ir/traverse.js";
import { wholeBatch } from "./methods/compat.js";
import type { BuiltMethod, Explained, MethodContext, OptionValues } from "./methods/method.js";
import { methods } from "./methods/registry.js";
import type { Builder } from "./ops/builder.js";
import { divisionOf } from "./relevance/divide.js";
import { relevanceStep } from "./relevance/propagate.js";
import { layoutsOf } from "./relevance/sample.js";
import { type Notes, stability } from "./relevance/stability.js";
import { product } from "./tensor/dim.js";
import { contradicts } from "./tensor/shape.js";

/** What an explanation consists of; `stability` where it was asked for and the method divides. */
export interface Outcome extends Explained {
  readonly stability?: Value;
}

export function explain(
  analysis: Analysis,
  method: BuiltMethod,
  options: OptionValues,
  seed: Value,
  asked: { readonly stability?: boolean } = {},
): Outcome {
  const b = analysis.model.builder;
  if (method.needs.includes("attention") && analysis.sites.length === 0)
    fail("E030", "", {
      at: `output "${analysis.outputName}", input "${analysis.source.input}"`,
      why: `the method "${method.id}" aggregates attention, and ${withoutSites(analysis)}`,
      try: `a method that needs no attention: ${methods
        .filter((m) => !m.needs.includes("attention"))
        .map((m) => `"${m.id}"`)
        .join(", ")}`,
    });
  const notes: Notes = { divisions: [], additions: [] };
  // Which sites a method looks at is known only after it was asked: a first, throw-away walk finds out.
  const used = new Set<AttentionSite>();
  const probe = context(b, analysis, method, options, seed, notes, (site) => {
    used.add(site);
    return { index: site.index, weights: site.weights, gradient: site.weights, relevance: site.weights };
  });
  method.build(probe);
  const sites = analysis.sites.filter((s) => used.has(s));
  const wanted = new Set(sites.map((s) => s.weights));
  const gradients = lazy(() => gradientPass(b, analysis, seed, wanted));
  const relevances = lazy(() => relevancePass(b, analysis, method, options, seed, notes, wanted));
  const explained = method.build(
    context(b, analysis, method, options, seed, notes, (site) => ({
      index: site.index,
      weights: b.asReal(site.weights),
      get gradient() {
        return gradients().get(site.weights)!;
      },
      get relevance() {
        return relevances().get(site.weights)!;
      },
    })),
  );
  if (!asked.stability) return { ...explained, sites };
  const blocks = sites.length > 0 ? sites : analysis.sites;
  return { ...explained, sites, stability: stability(b, notes, blocks, divisionOf(options)) };
}

/** What is there instead of attention. */
function withoutSites({ output }: Analysis): string {
  const softmaxes = ancestors([output], dataInputs).filter((n) => n.operator === "Softmax" && n.outputs[0] !== output);
  const [first] = softmaxes;
  if (!first) return "no softmax of this model weighs data";
  const all = softmaxes.length === 1 ? "its softmax" : `none of its ${softmaxes.length} softmaxes`;
  const weighs = softmaxes.length === 1 ? "does not go into a product with data" : "goes into a product with data";
  return `${all} ${weighs} by itself (mixed between heads, or multiplied element by element?): ${place(first)}`;
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function gradientPass(b: Builder, { output }: Analysis, seed: Value, wanted: ReadonlySet<Value>): Map<Value, Value> {
  return pullBack(b, { name: "gradient", output, seed, wanted, step: gradientStep(b) });
}

function relevancePass(
  b: Builder,
  analysis: Analysis,
  method: BuiltMethod,
  options: OptionValues,
  seed: Value,
  notes: Notes,
  wanted: ReadonlySet<Value>,
): Map<Value, Value> {
  if (!method.composite) fail("E090", "", { at: method.id, why: "it asks for relevance without a composite" });
  const layouts = dataLayouts(analysis);
  // A method may ask for the pass again: the notes are of the last one.
  notes.divisions.length = 0;
  notes.additions.length = 0;
  const { units } = analysis;
  const [composite, division] = [method.composite(options), divisionOf(options)];
  const whole = { wholeBatch: wholeBatch(options) };
  const step = relevanceStep(b, { composite, layouts, units, division, notes, ...whole });
  return pullBack(b, { name: "relevance", output: analysis.output, seed, wanted, step });
}

/** Layouts of everything that the output depends on. */
function dataLayouts({ output, sites, units }: Analysis) {
  const products = new Set<Node>(sites.map((s) => s.product));
  return layoutsOf(
    output,
    (n) => products.has(n),
    (n) => unitInput(units, n),
  );
}

function context(
  b: Builder,
  analysis: Analysis,
  method: BuiltMethod,
  options: OptionValues,
  seed: Value,
  notes: Notes,
  view: MethodContext["view"],
): MethodContext {
  return {
    b,
    analysis,
    options,
    seed,
    view,
    gradientOf: (values) => {
      const found = gradientPass(b, analysis, seed, new Set(values));
      return values.map((v) => found.get(v)!);
    },
    relevanceOf: (values) => {
      const found = relevancePass(b, analysis, method, options, seed, notes, new Set(values));
      return values.map((v) => found.get(v)!);
    },
    flow: (map, { normalizeRows = false } = {}) => {
      b.pass = "aggregate";
      const { output, sites, units, towards, readout: named } = analysis;
      const layouts = normalizeRows ? dataLayouts(analysis) : new Map();
      const request = {
        b,
        output,
        seed: positions(b, seed, classAxis(output)),
        sites,
        map: (site: AttentionSite) => checkedMap(method, site, map(site)),
        normalizeRows,
        layouts,
        units,
        towards,
        readout: named,
      };
      const { tokens, row, readout } = flowToTokens(request);
      const relevance = perSample(b, row, normalizeRows ? total(b, row)! : (row.added ?? b.mul(row.v!, 0)));
      return { relevance, tokens, readout, sites };
    },
  };
}

/** A map has the axes of the weights that it is about; an axis that it has once counts for all. */
function checkedMap(method: BuiltMethod, { weights, softmax }: AttentionSite, map: Value | undefined) {
  if (!map?.shape || !weights.shape) return map;
  const once = map.shape.map((d, axis) => (d === 1 ? (weights.shape![axis] ?? 1) : d));
  if (!contradicts(once, weights.shape)) return map;
  return fail("E090", "", {
    at: `method "${method.id}", at the attention of node "${softmax.source}"`,
    why: `its map is [${map.shape.join(", ")}], and the weights are [${weights.shape.join(", ")}]`,
    try: "a map in the shape of view(site).weights: heads are averaged later",
  });
}

/** The seed over positions alone: classes are summed. */
function positions(b: Builder, seed: Value, classes: number | undefined): Value {
  const shape = b.shape(seed);
  const dims = shape.filter((_, i) => i !== classes);
  if (dims.length === 1) return b.expand(b.scalar(1), dims);
  return classes === undefined ? b.abs(seed) : b.reduceSum(b.abs(seed), [classes], false);
}

/** [samples, tokens], whatever order the model keeps its axes in; a single fixed sample has no axis of its own. */
function perSample(b: Builder, row: Row, part: Value): Value {
  const kept = keptAtoms(row.layout);
  const batch = kept.findIndex((a) => a.kind === "batch");
  const others = kept.flatMap((_, i) => (i === batch ? [] : [i]));
  const arranged = b.transpose(part, batch < 0 ? others : [batch, ...others]);
  const dims = sizes(kept);
  return b.reshape(arranged, [batch < 0 ? 1 : dims[batch]!, product(others.map((i) => dims[i]!))]);
}
