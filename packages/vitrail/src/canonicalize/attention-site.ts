/**
 * Where a model attends: a softmax whose result (through casts, guards, rearrangements and constant factors) is one operand of a
 * product with data. The operand of that product is the site's attention A; sites are ordered by data flow, never by node order.
 */
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { equationOf } from "../ops/einsum.js";

/** Which axis of A, V and the product O mean the same thing. */
export interface SiteAxes {
  /** Samples and heads: [axis of A, axis of V or -1, axis of O]. */
  readonly lead: readonly (readonly [a: number, v: number, o: number])[];
  readonly query: readonly [a: number, o: number];
  readonly key: readonly [a: number, v: number];
  readonly width: readonly [v: number, o: number];
}

export interface AttentionSite {
  /** Position in data-flow order among the sites of the explained tower. */
  readonly index: number;
  readonly product: Node;
  readonly softmax: Node;
  /** A: the attention weights after masks and guards. */
  readonly weights: Value;
  /** V: what is averaged. */
  readonly values: Value;
  readonly axes: SiteAxes;
  /** Numbers of sites upstream of this one. */
  readonly depth: number;
}

const PASSED = new Set([
  "Cast",
  "Where",
  "Reshape",
  "Transpose",
  "Slice",
  "Squeeze",
  "Unsqueeze",
  "Mul",
  "QuantizeStraightThrough",
]);

/** The softmax behind a value, if nothing but harmless steps lies between. */
function softmaxBehind(value: Value): Node | undefined {
  let at = value;
  for (;;) {
    const node = at.producer;
    if (!node) return undefined;
    if (node.operator === "Softmax") return node;
    const data = dataInputs(node);
    if (!PASSED.has(node.operator) || data.length !== 1) return undefined;
    at = data[0]!;
  }
}

/** A pooling head: its queries are learned, so that the scores are a product of data with a constant. */
export function isPoolingHead({ softmax }: AttentionSite): boolean {
  for (let node: Node | undefined = softmax; node; ) {
    const data = dataInputs(node);
    if (data.length !== 1) return false;
    if (node.operator === "MatMul" || node.operator === "Einsum") return true;
    node = data[0]!.producer;
  }
  return false;
}

/** The site of the last block, which a pooling head behind it is not; where there are only such heads, the last of them. */
export const lastBlock = (sites: readonly AttentionSite[]): AttentionSite =>
  sites.findLast((site) => !isPoolingHead(site)) ?? sites.at(-1)!;

/** All sites that `output` depends on, in data-flow order. */
export function findSites(output: Value): AttentionSite[] {
  const found: Omit<AttentionSite, "index">[] = [];
  const upstream = new Map<Value, Set<Node>>();
  for (const node of ancestors([output], dataInputs)) {
    const before = new Set<Node>();
    for (const v of dataInputs(node)) for (const s of upstream.get(v) ?? []) before.add(s);
    const site = siteAt(node, before.size);
    if (site) {
      found.push(site);
      before.add(node);
    }
    for (const v of node.outputs) upstream.set(v, before);
  }
  return found
    .map((site, position) => ({ site, position }))
    .sort((a, c) => a.site.depth - c.site.depth || a.position - c.position)
    .map(({ site }, index) => ({ ...site, index }));
}

function siteAt(node: Node, depth: number): Omit<AttentionSite, "index"> | undefined {
  if (node.operator !== "MatMul" && node.operator !== "Einsum") return undefined;
  for (const [i, weights] of node.inputs.entries()) {
    if (!weights?.data) continue;
    const softmax = softmaxBehind(weights);
    const values = node.inputs[1 - i];
    if (!softmax || !values) continue;
    const axes = node.operator === "Einsum" ? einsumAxes(node, i) : matmulAxes(node, i);
    if (axes) return { product: node, softmax, weights, values, axes, depth };
  }
  return undefined;
}

/** O = A V, or its transpose: O' = V' A'. */
function matmulAxes(node: Node, operand: number): SiteAxes | undefined {
  const rank = node.outputs[0]!.rank ?? 0;
  const other = node.inputs[1 - operand]!.rank ?? 0;
  if (rank < 3 || node.inputs[operand]!.rank !== rank) return undefined;
  const lead = Array.from({ length: rank - 2 }, (_, i) => [i, Math.max(i - rank + other, -1), i] as const);
  const [row, column] = operand === 0 ? [2, 1] : [1, 2];
  return {
    lead,
    query: [rank - row, rank - row],
    key: [rank - column, other - row],
    width: [other - column, rank - column],
  };
}

function einsumAxes(node: Node, operand: number): SiteAxes | undefined {
  const { operands, result } = equationOf(node);
  const [a, v] = [operands[operand]!, operands[1 - operand]!];
  const inAll = [...a].filter((l) => v.includes(l) && result.includes(l));
  const query = [...a].filter((l) => !v.includes(l) && result.includes(l));
  const key = [...a].filter((l) => v.includes(l) && !result.includes(l));
  const width = [...v].filter((l) => !a.includes(l) && result.includes(l));
  if (query.length !== 1 || key.length !== 1 || width.length !== 1) return undefined;
  return {
    lead: inAll.map((l) => [a.indexOf(l), v.indexOf(l), result.indexOf(l)] as const),
    query: [a.indexOf(query[0]!), result.indexOf(query[0]!)],
    key: [a.indexOf(key[0]!), v.indexOf(key[0]!)],
    width: [v.indexOf(width[0]!), result.indexOf(width[0]!)],
  };
}
