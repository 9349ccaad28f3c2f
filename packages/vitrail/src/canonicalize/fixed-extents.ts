/**
 * Extents that a file leaves open at its input and fixes further up: an exporter that was shown one sample may write a dynamic
 * batch axis into the input and [1, 2, 2, 48] into a reshape. The model then runs with that one extent only, and only with it can
 * the tokens be followed.
 */
import type { Node } from "../ir/graph.js";
import * as D from "../tensor/dim.js";

/** Symbols whose value a reshape to numbers gives away: as many elements go in as come out. */
export function fixedExtents(nodes: readonly Node[], open: ReadonlySet<string>): Map<string, number> {
  const fixed = new Map<string, number>();
  for (const { operator, inputs, outputs } of nodes) {
    const [from, to] = [inputs[0]?.shape, outputs[0]?.shape];
    if (operator !== "Reshape" || !from || !to) continue;
    const [before, after] = [D.product(from), D.product(to)];
    const [name, ...others] = D.symbolsOf(before);
    if (name === undefined || others.length > 0 || typeof after !== "number" || !open.has(name)) continue;
    const each = D.divideExactly(before, D.symbol(name));
    if (typeof each === "number" && after % each === 0) fixed.set(name, after / each);
  }
  return fixed;
}
