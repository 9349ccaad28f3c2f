/** One site of the walk: from per-head maps to E, and from queries to keys. */
import type { AttentionSite } from "../canonicalize/attention-site.js";
import type { Value } from "../ir/graph.js";
import { type Builder, range } from "../ops/builder.js";
import { product } from "../tensor/dim.js";
import { type Atom, keptAtoms, type Layout, layoutOrFail } from "./layout.js";
import { mapRow, permutation, type Row, sizes } from "./row.js";

/** E [samples and windows..., queries, keys] and the atoms of its axes: the mean over heads of a per-head map. */
interface SiteMap {
  readonly E: Value;
  readonly lead: readonly Atom[];
  readonly queries: readonly Atom[];
  readonly keys: readonly Atom[];
}

function siteMap(b: Builder, site: AttentionSite, map: Value, out: Layout): SiteMap {
  const operand = site.product.inputs.indexOf(site.weights);
  const layout = layoutOrFail(site.product, operand, out, true);
  const atoms = layout.flat();
  const queries = layout[site.axes.query[0]]!;
  const keys = layout[site.axes.key[0]]!;
  const others = atoms.filter((a) => !queries.includes(a) && !keys.includes(a));
  const heads = others.filter((a) => a.kind === "channel");
  const lead = others.filter((a) => a.kind !== "channel");
  const order = [...lead, ...heads, ...queries, ...keys];
  const apart = b.reshape(map, sizes(atoms));
  const arranged = b.transpose(apart, permutation(atoms, order)!);
  const mean = b.reduceMean(
    arranged,
    heads.map((_, i) => lead.length + i),
    false,
  );
  const E = b.reshape(mean, [...sizes(lead), product(sizes(queries)), product(sizes(keys))]);
  return { E, lead, queries, keys };
}

/** The row over the site's keys: (row over its queries) E. */
export function attend(b: Builder, site: AttentionSite, map: Value, row: Row): Row {
  const { E, lead, queries, keys } = siteMap(b, site, map, row.layout);
  const target = valueLayout(site, row.layout, keys);
  const before = keptAtoms(row.layout);
  const arranged = permutation(before, [...lead, ...queries])!;
  return mapRow(row, target, (part) => {
    const vector = b.reshape(b.transpose(part, arranged), [...sizes(lead), 1, product(sizes(queries))]);
    const spread = b.reshape(b.matmul(vector, E), sizes([...lead, ...keys]));
    return b.transpose(spread, permutation([...lead, ...keys], keptAtoms(target))!);
  });
}

/**
 * 1 + Σ over keys of E for every query, in the order of `row`: what normalised rows divide by. `out` is the layout of the
 * site's product; its atoms are other objects than the row's, so samples are matched with samples and tokens with tokens.
 */
export function rowNormalizer(b: Builder, site: AttentionSite, map: Value, out: Layout, row: Row): Value {
  const { E, lead, queries } = siteMap(b, site, map, out);
  const sums = b.add(b.reduceSum(E, [b.rank(E) - 1], false), 1);
  const own = [...lead, ...queries];
  const apart = b.reshape(sums, sizes(own));
  const target = keptAtoms(row.layout);
  const samplesFirst = b.transpose(apart, bySample(own));
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

/** Layout of V: its key axis carries the very atoms of E's keys. */
function valueLayout(site: AttentionSite, out: Layout, keys: readonly Atom[]): Layout {
  const operand = site.product.inputs.indexOf(site.values);
  const layout = layoutOrFail(site.product, operand, out, true);
  return layout.map((axis, i) => (i === site.axes.key[1] ? keys : axis));
}
