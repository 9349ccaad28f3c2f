/** Shapes with symbolic dimensions, and NumPy broadcasting over them. */
import { type Dim, equal } from "./dim.js";
import { Misfit } from "./misfit.js";

export type Shape = readonly Dim[];

/**
 * The dimension that two broadcast dimensions give. A known extent wins over a symbol: they must agree at run time.
 * @throws Misfit where two extents are known and differ, neither being 1
 */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1 || equal(a, b)) return a;
  if (typeof a === "number" && typeof b === "number") throw new Misfit(`${a} against ${b} does not broadcast`);
  return typeof a === "number" ? a : b === 0 || typeof b === "number" ? b : a;
}

export function broadcast(...shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++)
    result.push(shapes.map((s) => s[s.length - rank + axis] ?? 1).reduce(broadcastDim));
  return result;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => equal(d, b[i]!));

export const shownShape = (shape: Shape | undefined): string =>
  shape ? `[${shape.map((d) => (typeof d === "number" ? d : d.key)).join(", ")}]` : "unknown";

/** Both are known, and differ in rank or in an extent that both know. */
export const contradicts = (a: Shape | undefined, b: Shape | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  (a.length !== b.length || a.some((d, i) => typeof d === "number" && typeof b[i] === "number" && d !== b[i]));

/**
 * Non-negative axis numbers. Of a scalar, and where the rank is not known (0), any is taken.
 * @throws Misfit where there is no such axis
 */
export function normalizeAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (rank > 0 && !(normal >= 0 && normal < rank)) throw new Misfit(`there is no axis ${axis} where there are ${rank}`);
  return normal;
}
