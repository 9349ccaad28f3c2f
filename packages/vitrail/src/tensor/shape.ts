/** Shapes with symbolic dimensions, and NumPy broadcasting over them. */
import { type Dim, equal } from "./dim.js";

export type Shape = readonly Dim[];

/** The dimension that two broadcast dimensions give. A known extent wins over a symbol: they must agree at run time. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1 || equal(a, b)) return a;
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

/** Non-negative axis numbers. */
export const normalizeAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
