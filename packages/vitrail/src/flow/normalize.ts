/**
 * What normalised rows divide by: 1 + Σ over keys of E, for every query, in the order of the tokens where the site's branch joins
 * the stream. Plain attention keeps that order; windows are cut, rolled and padded on the way, so the sums are carried forward
 * through the branch's own movements.
 */
import type { AttentionSite } from "../canonicalize/attention-site.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { type Builder, range } from "../ops/builder.js";
import { roleOf } from "../ops/operator.js";
import { sameShape } from "../tensor/shape.js";
import { meanOfHeads, siteMaps } from "./attend.js";
import { type Atom, keptAtoms, type Layout, refuseTokens } from "./layout.js";
import { permutation, type Row, sizes } from "./row.js";

/**
 * @param out the layout of the site's product
 * @param branch the value that the site's branch ends in; `row` is about the same tokens
 * @returns one number per entry of `row`
 */
export function rowNormalizer(
  b: Builder,
  site: AttentionSite,
  map: Value,
  out: Layout,
  branch: Value,
  row: Row,
): Value {
  const found = siteMaps(b, site, map, out);
  const { maps, lead, queries } = found;
  const own = [...lead, ...queries];
  const ofKeys = meanOfHeads(b, b.reduceSum(maps, [b.rank(maps) - 1], false), found);
  const sums = b.reshape(b.add(ofKeys, 1), sizes(own));
  if (lead.every((a) => a.kind === "batch")) return inOrder(b, sums, own, keptAtoms(row.layout));
  const arrived = carried(b, site.product, overChannels(b, sums, own, out, site.product.outputs[0]!), branch);
  const atoms = row.layout.flat();
  const apart = b.reshape(arrived, sizes(atoms));
  const channels = atoms.flatMap((a, i) => (a.kind === "channel" ? [i] : []));
  return b.reduceMean(apart, channels, false);
}

/** The atoms are other objects than the row's: samples are matched with samples and tokens with tokens. */
function inOrder(b: Builder, sums: Value, own: readonly Atom[], target: readonly Atom[]): Value {
  const samplesFirst = b.transpose(sums, bySample(own));
  const order = bySample(target);
  return b.transpose(
    b.reshape(
      samplesFirst,
      order.map((i) => target[i]!.size),
    ),
    order.map((_, i) => order.indexOf(i)),
  );
}

/** Positions of the atoms with the samples first. */
const bySample = (atoms: readonly Atom[]): number[] => {
  const all = range(atoms.length);
  return [...all.filter((i) => atoms[i]!.kind === "batch"), ...all.filter((i) => atoms[i]!.kind !== "batch")];
};

/** The same number in every channel of a query. */
function overChannels(b: Builder, sums: Value, own: readonly Atom[], out: Layout, value: Value): Value {
  const arranged = b.transpose(sums, permutation(own, keptAtoms(out))!);
  const single = out.flat().map((a) => (a.kind === "channel" ? 1 : a.size));
  const spread = b.expand(b.reshape(arranged, single), sizes(out.flat()));
  return b.reshapeLike(spread, value);
}

/** What is the same in all channels, from a site's product to the end of its branch: moved as the branch moves its tokens. */
function carried(b: Builder, from: Node, numbers: Value, branch: Value): Value {
  const arrived = new Map<Value, Value>([[from.outputs[0]!, numbers]]);
  for (const node of ancestors([branch], dataInputs)) {
    const inputs = node.inputs.map((v) => v && arrived.get(v));
    const [y] = node.outputs;
    const operator = b.operators.get(node.operator);
    const any = inputs.find((v) => v !== undefined);
    if (!any || !y || !operator || arrived.has(y)) continue;
    const same = inputs.find((_, i) => inputs[i] && y.shape && sameShape(b.shape(node.inputs[i]!), b.shape(y)));
    if (node.operator === "Concat" && inputs.includes(undefined)) continue;
    if (roleOf(operator, node) === "movement") {
      const all = node.inputs.map((v, i) => inputs[i] ?? v);
      const moved = b.emitAll(node.operator, all, node.attributes, node.outputs.length);
      for (const [i, v] of node.outputs.entries()) {
        moved[i]!.shape ??= v.shape;
        arrived.set(v, moved[i]!);
      }
    } else if (node.operator === "MatMul" && !same) {
      const one = b.slice(any, b.rank(any) - 1, 0, 1);
      arrived.set(y, b.expand(one, b.shape(y)));
    } else if (same) arrived.set(y, same);
  }
  return (
    arrived.get(branch) ??
    refuseTokens(from, "rows are to sum to one, and the sums cannot be followed to the end of the branch", branch.shape)
  );
}
