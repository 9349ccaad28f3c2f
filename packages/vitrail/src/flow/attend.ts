/** One site of the walk: from per-head maps to E, and from queries to keys. */
import type { AttentionSite } from "../canonicalize/attention-site.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { product } from "../tensor/dim.js";
import { type Atom, keptAtoms, type Layout, layoutOrFail } from "./layout.js";
import { mapRow, permutation, type Row, sizes } from "./row.js";

/** Per-head maps [samples and windows..., heads..., queries, keys] and the atoms of their axes. */
export interface SiteMaps {
  readonly maps: Value;
  readonly lead: readonly Atom[];
  readonly heads: readonly Atom[];
  readonly queries: readonly Atom[];
  readonly keys: readonly Atom[];
}

export function siteMaps(b: Builder, site: AttentionSite, map: Value, out: Layout): SiteMaps {
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
  const maps = b.reshape(arranged, [...sizes(lead), ...sizes(heads), product(sizes(queries)), product(sizes(keys))]);
  return { maps, lead, heads, queries, keys };
}

/** The mean over the heads of what holds one of something for each of them. */
export const meanOfHeads = (b: Builder, each: Value, { lead, heads }: SiteMaps): Value =>
  b.reduceMean(
    each,
    heads.map((_, i) => lead.length + i),
    false,
  );

/** The row over the site's keys: (row over its queries) E, E the mean over heads; the mean of rows is made of fewer numbers. */
export function attend(b: Builder, site: AttentionSite, map: Value, row: Row): Row {
  const found = siteMaps(b, site, map, row.layout);
  const { maps, lead, heads, queries, keys } = found;
  const target = valueLayout(site, row.layout, keys);
  const before = keptAtoms(row.layout);
  const arranged = permutation(before, [...lead, ...queries])!;
  return mapRow(row, target, (part) => {
    const dims = [...sizes(lead), ...heads.map(() => 1), 1, product(sizes(queries))];
    const vector = b.reshape(b.transpose(part, arranged), dims);
    const mean = meanOfHeads(b, b.matmul(vector, maps), found);
    return b.transpose(b.reshape(mean, sizes([...lead, ...keys])), permutation([...lead, ...keys], keptAtoms(target))!);
  });
}

/** Layout of V: its key axis carries the very atoms of E's keys. */
function valueLayout(site: AttentionSite, out: Layout, keys: readonly Atom[]): Layout {
  const operand = site.product.inputs.indexOf(site.values);
  const layout = layoutOrFail(site.product, operand, out, true);
  return layout.map((axis, i) => (i === site.axes.key[1] ? keys : axis));
}
