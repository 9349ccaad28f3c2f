/**
 * The axis of targets of a lifted value, and how it is put where an operator needs it. It is counted from behind, as broadcasting
 * counts: `behind` axes of the value for one target come after it. Ranks are those for one target.
 */
import type { Value } from "../ir/graph.js";
import { type Builder, range } from "../ops/builder.js";
import type { Dim } from "../tensor/dim.js";

/** A value for several targets. */
export interface Lifted {
  readonly value: Value;
  readonly behind: number;
}

/** An input of a node that is lifted: for several targets itself, or one value for all (`behind` is not there). */
export interface Operand {
  readonly value: Value;
  readonly behind: number | undefined;
  readonly rank: number;
}

export const isLifted = (o: Operand | undefined): o is Operand & Lifted => o?.behind !== undefined;

/** Which axis of a lifted value is that of the targets. */
export const indexOf = (rank: number, behind: number): number => rank - behind;

/** `list` describes axes for one target: with an entry for the targets. */
export const withEntry = <T>(list: readonly T[], behind: number, entry: T): T[] => {
  const at = indexOf(list.length, behind);
  return [...list.slice(0, at), entry, ...list.slice(at)];
};

/** Where an axis of the value for one target lies in the lifted one. */
export const shifted = (axis: number, rank: number, behind: number): number =>
  axis < indexOf(rank, behind) ? axis : axis + 1;

/** With the axis of targets in another place. */
export function moved(b: Builder, { value, behind, rank }: Operand & Lifted, to: number): Value {
  if (behind === to) return value;
  const others = range(rank).map((axis) => shifted(axis, rank, behind));
  return b.transpose(value, withEntry(others, to, indexOf(rank, behind)));
}

/** Broadcasts against lifted values with so many axes behind the targets. */
export function aligned(b: Builder, o: Operand, behind: number): Value {
  if (!isLifted(o)) return o.rank > behind ? b.unsqueeze(o.value, [indexOf(o.rank, behind)]) : o.value;
  const missing = Math.max(0, behind - o.rank);
  return b.unsqueeze(
    moved(b, o, behind - missing),
    range(missing).map((i) => i + 1),
  );
}

/** One value for all, as often as there are targets. */
export function repeated(b: Builder, value: Value, count: Dim, behind: number): Value {
  const rank = b.rank(value);
  const ones = range(rank).map(() => 1);
  return b.expand(b.unsqueeze(value, [indexOf(rank, behind)]), withEntry<Dim>(ones, behind, count));
}
