/** One site of the walk: from per-head maps to E, and from queries to keys. */
import type { AttentionSite } from "../canonicalize/attention-site.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { product } from "../tensor/dim.js";
import { type Atom, keptAtoms, type Layout, layoutOrFail } from "./layout.js";
import { mapRow, permutation, type Row, sizes } from "./row.js";

/** E [samples and windows..., queries, keys] and the atoms of its axes: the mean over heads of a per-head map. */
export interface SiteMap {
  readonly E: Value;
  readonly lead: readonly Atom[];
  readonly queries: readonly Atom[];
  readonly keys: readonly Atom[];
}

export function siteMap(b: Builder, site: AttentionSite, map: Value, out: Layout): SiteMap {
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

/** Layout of V: its key axis carries the very atoms of E's keys. */
function valueLayout(site: AttentionSite, out: Layout, keys: readonly Atom[]): Layout {
  const operand = site.product.inputs.indexOf(site.values);
  const layout = layoutOrFail(site.product, operand, out, true);
  return layout.map((axis, i) => (i === site.axes.key[1] ? keys : axis));
}
