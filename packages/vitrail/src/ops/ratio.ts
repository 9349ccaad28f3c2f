/** Sizes that exporters compute in floating point: ⌈height / 2⌉ · 2 as Cast, Div, Ceil, Mul, Cast. */
import { numberOf, type Ratio, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { elementwise, input } from "./infer.js";
import type { InferContext, Inferred } from "./operator.js";

/** A ratio that is known as one, or a number that is one. */
function ratioOf(v: Value | undefined): Ratio | undefined {
  if (!v || v.ratio) return v?.ratio;
  const n = numberOf(v);
  if (n === undefined || n <= 0) return undefined;
  if (Number.isInteger(n)) return { over: n, by: 1 };
  return Number.isInteger(1 / n) ? { over: 1, by: 1 / n } : undefined;
}

export const product = (a: Ratio, c: Ratio): Ratio => ({ over: D.multiply(a.over, c.over), by: a.by * c.by });
/** Divisors are plain numbers. */
export const quotient = (a: Ratio, c: Ratio): Ratio | undefined =>
  typeof c.over === "number" ? { over: D.multiply(a.over, c.by), by: a.by * c.over } : undefined;
export const sum = (a: Ratio, c: Ratio): Ratio => ({
  over: D.add(D.multiply(a.over, c.by), D.multiply(c.over, a.by)),
  by: a.by * c.by,
});

/** Inference of an arithmetic operator that sizes pass in integers and as ratios. */
export const sized =
  (fold: (...entries: D.Dim[]) => D.Dim | undefined, ofRatios: (a: Ratio, c: Ratio) => Ratio | undefined) =>
  (c: InferContext): Inferred => {
    const inferred = elementwise(fold)(c);
    if (!c.node.inputs.some((v) => v?.ratio)) return inferred;
    const [a, e] = c.node.inputs.map(ratioOf);
    return { ...inferred, ratio: a && e && ofRatios(a, e) };
  };

/** Inference of Floor and Ceil. */
export const rounding =
  (round: (over: D.Dim, by: number) => D.Dim) =>
  (c: InferContext): Inferred => {
    const { type, shape, ratio } = input(c, 0);
    return { type, shape, ratio: ratio && { over: round(ratio.over, ratio.by), by: 1 } };
  };
