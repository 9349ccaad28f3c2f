/**
 * How far an explanation's numbers can be trusted, read off the denominators and sums of the relevance pass. Per sample:
 *
 *     weak            share of Σ|R| at denominators |z| < max(ε, 1e-3) mean|z|, all guarded divisions together
 *     magnification   Σ|R| (mean|z| / (|z| + ε mean|z|))² / Σ|R| at the worst of them: how much a rounding error of z grows
 *     blocks          Σ R where each block's attention joins the stream: rules that conserve relevance keep it
 */
import type { AttentionSite } from "../canonicalize/attention-site.js";
import type { Layout } from "../flow/layout.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import type { Division } from "./divide.js";
import { sampleMean, sampleTotal } from "./sample.js";

/** A denominator below this part of the mean counts as weak even where nothing is stabilised. */
const WEAK = 1e-3;
/** Keeps the magnification finite where a denominator is exactly zero. */
const LEAST = 1e-9;

/** What the relevance pass met, from the output backwards. */
export interface Notes {
  readonly divisions: { readonly R: Value; readonly z: Value; readonly layout: Layout | undefined }[];
  readonly additions: { readonly node: Node; readonly R: Value; readonly layout: Layout | undefined }[];
}

/** [batch, 2 + blocks]: weak, magnification, then one sum per site. */
export function stability(b: Builder, notes: Notes, sites: readonly AttentionSite[], { epsilon }: Division): Value {
  b.pass = "stability";
  b.source = "";
  const readings = notes.divisions.map(({ R, z, layout }) => {
    const size = b.abs(R);
    const magnitude = b.abs(z);
    const mean = sampleMean(b, magnitude, layout);
    const isWeak = b.greater(b.mul(mean, Math.max(epsilon, WEAK)), magnitude);
    const factor = b.div(mean, b.add(magnitude, b.add(b.mul(mean, Math.max(epsilon, LEAST)), 1e-30)));
    const total = (v: Value) => sampleTotal(b, v, layout);
    return {
      all: total(size),
      weak: total(b.where(isWeak, size, b.scalar(0))),
      grown: total(b.mul(size, b.square(factor))),
    };
  });
  const share = (part: Value, whole: Value) => b.div(part, b.add(whole, 1e-30));
  const weak = share(b.sum(readings.map((r) => r.weak)), b.sum(readings.map((r) => r.all)));
  const grown = readings.map((r) => share(r.grown, r.all));
  const worst = b.reduce("ReduceMax", b.concat(grown, 1), [1]);
  return b.concat([weak, worst, ...blockSums(b, notes, sites)], 1);
}

/** The sum at the first addition that depends on a site; for sites without one, at the addition nearest to the output. */
function blockSums(b: Builder, { additions }: Notes, sites: readonly AttentionSite[]): Value[] {
  const upstream = additions.map(({ node }) => new Set(ancestors(node.outputs, dataInputs)));
  return sites.flatMap(({ product }) => {
    const nearest = additions.findLastIndex((_, i) => upstream[i]!.has(product));
    const found = additions[Math.max(nearest, 0)];
    return found ? [sampleTotal(b, found.R, found.layout)] : [];
  });
}
