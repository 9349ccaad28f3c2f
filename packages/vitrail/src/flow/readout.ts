/** A read-out that the caller names: which tokens of the last block the row starts from. */
import { fail } from "../errors.js";
import type { Builder } from "../ops/builder.js";
import { counting } from "../ops/indexing.js";
import { reciprocalOf } from "../ops/reduction.js";
import { add, type Dim, product, subtract } from "../tensor/dim.js";
import { keptAtoms } from "./layout.js";
import { type Row, sizes } from "./row.js";

export type Readout =
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "mean"; readonly from: number; readonly to: number | undefined };

/** "index:K", "mean", "mean:FROM" or "mean:FROM:TO"; negative positions count from the end. */
export function readReadout(text: string | undefined): Readout | undefined {
  if (text === undefined) return undefined;
  const [kind, ...positions] = text.split(":");
  const numbers = positions.map(Number);
  if (numbers.every(Number.isInteger)) {
    if (kind === "index" && numbers.length === 1) return { kind, index: numbers[0]! };
    if (kind === "mean" && numbers.length <= 2) return { kind, from: numbers[0] ?? 0, to: numbers[1] };
  }
  fail("E014", `"${text}"`, {
    why: 'it is none of "index:K", "mean", "mean:FROM", "mean:FROM:TO"',
    try: '"index:0" for a class token',
  });
}

/** The row at the tokens of the last block, read as the caller says. */
export function overrideReadout(b: Builder, row: Row, readout: Readout): Row {
  const kept = keptAtoms(row.layout);
  const tokens = kept.filter((a) => a.kind !== "batch");
  const count = product(sizes(tokens));
  const at = (position: number): Dim => (position < 0 ? add(count, position) : position);
  const [from, to] =
    readout.kind === "index"
      ? [at(readout.index), add(at(readout.index), 1)]
      : [at(readout.from), readout.to === undefined ? count : at(readout.to)];
  const position = counting(b, count);
  const inside = b.emit("And", [
    b.emit("GreaterOrEqual", [position, b.extents.of(from)]),
    b.emit("Less", [position, b.extents.of(to)]),
  ]);
  const weights = b.mul(b.cast(inside, b.real), reciprocalOf(b, subtract(to, from)));
  const spread = kept.map((a) => (a.kind === "batch" ? 1 : a.size));
  return { layout: row.layout, v: b.expand(b.reshape(weights, spread), sizes(kept)), added: undefined };
}
