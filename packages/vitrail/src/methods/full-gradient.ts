/**
 * FullGrad+ of a balanced gradient: Σ_l x_l ⊙ g_l over the inputs of all blocks, and Σ_b b ⊙ g_b over the constants that the blocks
 * add (biases, and those of norms), both summed over the channels of each token. Mehri et al. 2025. Where x_l is the stream before
 * one block, Σ x_l ⊙ g_l and the constants from there on add up to the output. What a head adds belongs to no token.
 */
import { unitInput } from "../canonicalize/unit.js";
import { fail } from "../errors.js";
import { keptAtoms, type Layout } from "../flow/layout.js";
import { sizes } from "../flow/row.js";
import { pullBack } from "../gradient/reverse.js";
import { dataInputs, type Node, place, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { layoutsOf } from "../relevance/sample.js";
import { type Dim, equal, product } from "../tensor/dim.js";
import { blockInput } from "./block-input.js";
import type { Explained, MethodContext } from "./method.js";
import { modifiedStep, type Theory } from "./modified-gradient.js";

export function fullGradient({ b, analysis, seed, flow }: MethodContext, theory: Theory): Explained {
  const { sites, output, units } = analysis;
  const last = sites.at(-1)!;
  const walked = flow((site) => (site === last ? site.weights : undefined));
  const tokens = b.shape(walked.relevance)[1]!;
  const streams = [...new Set(sites.map((site) => blockInput(analysis, site).stream))];
  const arrived = new Map<Node, Value>();
  const step = modifiedStep(b, analysis, theory);
  const first = streams[0]!;
  const found = pullBack(b, {
    name: "relevance",
    output,
    seed,
    wanted: new Set([first]),
    step: (node, cotangents) => {
      arrived.set(node, cotangents.dys.find((d) => d !== undefined)!);
      return step(node, cotangents);
    },
  });
  const attending = new Set(sites.map((s) => s.product));
  const layouts = layoutsOf(
    output,
    (n) => attending.has(n),
    (n) => unitInput(units, n),
  );
  const at = (v: Value) => (v === first ? found.get(v) : v.producer && arrived.get(v.producer));
  const parts = [
    ...streams.map((v) => ({ v, part: b.mul(b.asReal(v), at(v)!) })),
    ...[...arrived].flatMap(([node, g]) => {
      const constant = added(b, node);
      return constant ? [{ v: node.outputs[0]!, part: b.mul(constant, g) }] : [];
    }),
  ];
  b.pass = "aggregate";
  const batch = b.shape(walked.relevance)[0]!;
  const rows = parts.flatMap(({ v, part }) => {
    const [first, second, ...rest] = b.shape(v);
    // What most of a model is made of; elsewhere the layout says where samples and tokens are.
    const lies = (x: Dim, y: Dim) => rest.length === 1 && equal(first!, x) && equal(second!, y);
    if (lies(batch, tokens)) return b.reduceSum(part, [-1], false);
    if (lies(tokens, batch)) return b.transpose(b.reduceSum(part, [-1], false), [1, 0]);
    return perToken(b, v, part, layouts.get(v), tokens) ?? [];
  });
  return { ...walked, relevance: b.sum(rows), kind: "tokens", sites: [] };
}

/** The constant that an operator adds to data, with its sign. */
function added(b: Builder, node: Node): Value | undefined {
  if (node.operator === "LayerNormalization") return node.inputs[2] && b.asReal(node.inputs[2]);
  if ((node.operator !== "Add" && node.operator !== "Sub") || dataInputs(node).length !== 1) return undefined;
  const second = node.inputs[0]!.data;
  const constant = b.asReal(node.inputs[second ? 1 : 0]!);
  return second && node.operator === "Sub" ? b.neg(constant) : constant;
}

/** [samples, tokens]; nothing where the value belongs to no token. */
function perToken(b: Builder, v: Value, part: Value, layout: Layout | undefined, tokens: Dim): Value | undefined {
  const kept = layout && keptAtoms(layout);
  const own = kept?.filter((a) => a.kind === "token");
  if (own?.length === 0) return undefined;
  if (!layout || !kept || !own || !equal(product(sizes(own)), tokens))
    fail("E025", v.producer?.operator ?? "", {
      ...(v.producer && { at: place(v.producer), node: v.producer.source }),
      why: "its tokens are not those of the other blocks, so that parts of the map cannot be added",
      try: "libra-grad without full",
    });
  const atoms = layout.flat();
  const channels = atoms.flatMap((a, i) => (a.kind === "channel" ? [i] : []));
  const summed = b.reduceSum(b.reshape(part, sizes(atoms)), channels, false);
  const batch = kept.findIndex((a) => a.kind === "batch");
  const others = kept.flatMap((_, i) => (i === batch ? [] : [i]));
  const arranged = b.transpose(summed, batch < 0 ? others : [batch, ...others]);
  return b.reshape(arranged, [batch < 0 ? 1 : kept[batch]!.size, tokens]);
}
