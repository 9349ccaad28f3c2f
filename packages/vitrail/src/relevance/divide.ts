/**
 * R / z where z is a sum that may cancel: in additions and in products of data. The paper's own guard is 1e-9; the other two
 * bound the result by 1 / (ε mean|z|), the mean taken over the sample.
 *
 *     exact   R / (z + 1e-9)
 *     shift   R / (z + s(z) ε mean|z|), s(z) = 1 for z >= 0, else -1: every quotient moves, by ε mean|z| / z
 *     ridge   R z / (z² + (ε mean|z|)²): quotients move by the square of that, and nothing jumps where z changes its sign
 */
import { fail } from "../errors.js";
import type { Layout } from "../flow/layout.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { sampleMean } from "./sample.js";

export interface Division {
  readonly kind: "exact" | "shift" | "ridge";
  readonly epsilon: number;
}

export const exactDivision: Division = { kind: "exact", epsilon: 0 };

/** The division that a method's options `stabilizer` and `ridge` ask for. */
export function divisionOf({ stabilizer = 0, ridge = 0 }: Readonly<Record<string, unknown>>): Division {
  const [shift, square] = [stabilizer as number, ridge as number];
  if (shift > 0 && square > 0)
    fail("E016", '"ridge"', {
      why: "a division has one stabiliser, and stabilizer is given too",
      try: "only one of them",
    });
  if (square > 0) return { kind: "ridge", epsilon: square };
  return shift > 0 ? { kind: "shift", epsilon: shift } : exactDivision;
}

/** `unit` scales the authors' 1e-9 where z itself was scaled. */
export function divide(
  b: Builder,
  { kind, epsilon }: Division,
  R: Value,
  z: Value,
  { layout, unit = 1 }: { layout: Layout | undefined; unit?: number | undefined },
): Value {
  if (kind === "exact") return b.safeDivide(R, z, unit);
  const guard = b.add(b.mul(sampleMean(b, b.abs(z), layout), epsilon), 1e-15);
  if (kind === "ridge") return b.mul(R, b.div(z, b.add(b.square(z), b.square(guard))));
  return b.div(R, b.add(z, b.where(b.greater(0, z), b.neg(guard), guard)));
}
