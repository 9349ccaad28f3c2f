/** Points and weights of ∫ f over [0, 1]. */
import { fail } from "../errors.js";

export interface Quadrature {
  readonly nodes: readonly number[];
  /** They sum to one. */
  readonly weights: readonly number[];
}

const RULES: Readonly<Record<string, (n: number) => Quadrature>> = {
  gauss: gaussLegendre,
  midpoint: (n) => even(n, 0.5),
  right: (n) => even(n, 1),
};

export const quadratureRules: readonly string[] = Object.keys(RULES);

export function quadrature(rule: string, steps: number): Quadrature {
  if (steps < 1) fail("E016", '"steps"', { why: "a path needs one point at least", try: "50" });
  return RULES[rule]!(steps);
}

function even(n: number, offset: number): Quadrature {
  const nodes = Array.from({ length: n }, (_, i) => (i + offset) / n);
  return { nodes, weights: nodes.map(() => 1 / n) };
}

/** Roots of the Legendre polynomial P_n by Newton's method, exact for polynomials up to degree 2n - 1 (Abramowitz & Stegun 25.4.30). */
function gaussLegendre(n: number): Quadrature {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (n - i - 0.25)) / (n + 0.5));
    let slope = 0;
    for (let round = 0; round < 100; round++) {
      const { value, derivative } = legendre(n, x);
      slope = derivative;
      const step = value / derivative;
      x -= step;
      if (Math.abs(step) < 1e-15) break;
    }
    nodes.push((1 + x) / 2);
    weights.push(1 / ((1 - x * x) * slope * slope));
  }
  return { nodes, weights };
}

/** P_n(x) and its derivative by the three-term recurrence. */
function legendre(n: number, x: number): { value: number; derivative: number } {
  let [before, value] = [1, x];
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return { value, derivative: (n * (x * value - before)) / (x * x - 1) };
}
