/**
 * A row of token weights travelling from the read-out towards the input: `v`, which tokens are read, and `added`, what
 * attention has added so far (kept apart: the read-out is up to 100,000 times larger and would swallow it in float32).
 * Both are tensors with one axis per kept atom of the layout, in its order.
 */
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { type Dim, equal, product } from "../tensor/dim.js";
import { type Atom, keptAtoms, type Layout } from "./layout.js";

export interface Row {
  readonly layout: Layout;
  readonly v: Value | undefined;
  readonly added: Value | undefined;
}

export const sizes = (atoms: readonly Atom[]): Dim[] => atoms.map((a) => a.size);

/** Applies the same map to both parts. */
export const mapRow = (row: Row, layout: Layout, f: (part: Value) => Value): Row => ({
  layout,
  v: row.v && f(row.v),
  added: row.added && f(row.added),
});

/** v + added, whichever exist. */
export const total = (b: Builder, row: Row): Value | undefined =>
  row.v && row.added ? b.add(row.v, row.added) : (row.v ?? row.added);

/** The order of `from` that gives `to`, by identity; undefined where they are not the same atoms. */
export function permutation(from: readonly Atom[], to: readonly Atom[]): number[] | undefined {
  const perm = to.map((a) => from.indexOf(a));
  return from.length === to.length && perm.every((p) => p >= 0) ? perm : undefined;
}

/** The row seen through another layout of the same extents: atoms permuted, split or joined; channels dropped or gained. */
export function relayout(b: Builder, row: Row, to: Layout): Row {
  const [before, after] = [keptAtoms(row.layout), keptAtoms(to)];
  const perm = permutation(before, after);
  if (perm) return mapRow(row, to, (part) => b.transpose(part, perm));
  // Atoms of the old row that the new one no longer has (an axis became channels) are summed away first.
  const gone = before.filter((a) => !after.includes(a) && to.flat().some((c) => c.kind === "channel" && c === a));
  const kept = before.filter((a) => !gone.includes(a));
  return mapRow(row, to, (part) => {
    const summed = b.reduceSum(
      part,
      gone.map((a) => before.indexOf(a)),
      false,
    );
    const common = permutation(kept, after);
    return common ? b.transpose(summed, common) : b.reshape(summed, sizes(after));
  });
}

/** Adds two rows that met at one value. */
export function joinRows(b: Builder, a: Row, c: Row): Row {
  const other = sameExtents(a.layout, c.layout) ? { ...c, layout: a.layout } : relayout(b, c, a.layout);
  const sum = (p: Value | undefined, q: Value | undefined) => (p && q ? b.add(p, q) : (p ?? q));
  return { layout: a.layout, v: sum(a.v, other.v), added: sum(a.added, other.added) };
}

const sameExtents = (a: Layout, c: Layout): boolean => {
  const [x, y] = [keptAtoms(a), keptAtoms(c)];
  return x.length === y.length && x.every((p, i) => equal(p.size, y[i]!.size));
};

/** Row axes that belong to one axis of the graph value. */
export function rowAxes(layout: Layout, axis: number): readonly number[] {
  const kept = keptAtoms(layout);
  return layout[axis]!.map((a) => kept.indexOf(a)).filter((i) => i >= 0);
}

/** The part of a row that belongs to one graph axis, joined into a single row axis so that it can be sliced or padded. */
export function withJoinedAxis(
  b: Builder,
  part: Value,
  layout: Layout,
  axis: number,
  f: (joined: Value, at: number) => Value,
): Value {
  const at = keptAtoms(layout.slice(0, axis)).length;
  const own = layout[axis]!.filter((a) => a.kind !== "channel");
  const rest = keptAtoms(layout);
  const dims = [...sizes(rest.slice(0, at)), product(sizes(own)), ...sizes(rest.slice(at + own.length))];
  return f(b.reshape(part, dims), at);
}
