/** Replaced steps of a modified gradient. With g at the output, R = y ⊙ g there, and x ⊙ (what is returned) is x's relevance. */
import type { Node, Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";

export interface PullContext {
  readonly b: Builder;
  readonly node: Node;
  readonly x: readonly Value[];
  readonly y: Value;
  readonly dy: Value;
  readonly dys: readonly (Value | undefined)[];
  readonly wants: readonly boolean[];
  /** The operator's own gradient, optionally of other cotangents and at other inputs. */
  readonly plain: (dys?: readonly (Value | undefined)[], x?: readonly Value[]) => readonly (Value | undefined)[];
  /** The operator's own gradient, one input held constant. */
  readonly without: (constant: Value) => readonly (Value | undefined)[];
  /** A norm's gradient with its deviation held constant. */
  readonly constantDeviation: () => readonly (Value | undefined)[];
  /** The same operator at other inputs. */
  readonly at: (x: readonly Value[]) => Value;
}

export type Pull = (context: PullContext) => readonly (Value | undefined)[];

export const unchanged: Pull = (c) => c.plain();

/** g · y / (y + ε s(y)), s(y) = 1 for y >= 0, else -1, then the gradient (Bach et al. 2015, the ε rule). */
export const epsilonRule =
  (epsilon: number): Pull =>
  ({ b, y, dy, plain }) => {
    const shift = b.where(b.greater(0, y), b.scalar(-epsilon), b.scalar(epsilon));
    return plain([b.mul(dy, b.div(y, b.add(y, shift)))]);
  };

/**
 * The γ rule for signed inputs: contributions c = x w that agree in sign with their sum y weigh 1 + γ,
 * R_x = Σ c (1 + γ [c y > 0]) / D · R with D = y + γ Σ c [c y > 0].
 *
 * With T = y g / D, split by the sign of y, a positive input gets W T + γ (W⁺T⁺ + W⁻T⁻), a negative one W T + γ (W⁻T⁺ + W⁺T⁻).
 */
export const gammaRule =
  (gamma: number): Pull =>
  ({ b, x, y, dy, wants, plain, at }) => {
    const i = wants.indexOf(true);
    const zero = b.scalar(0);
    const positive = x.map((v) => b.relu(v));
    const negative = x.map((v, k) => b.sub(v, positive[k]!));
    const [up, down] = [b.greater(y, 0), b.greater(0, y)];
    const mixed = (data: readonly Value[], weights: readonly Value[]) =>
      x.map((_, k) => (k === i ? data[k]! : weights[k]!));
    const agreeing = b.add(at(positive), at(negative));
    const opposing = b.add(at(mixed(positive, negative)), at(mixed(negative, positive)));
    const D = b.add(y, b.mul(b.where(up, agreeing, b.where(down, opposing, zero)), gamma));
    const T = b.mul(dy, b.div(y, b.add(D, b.where(b.greater(0, D), b.scalar(-1e-30), b.scalar(1e-30)))));
    const [Tup, Tdown] = [b.where(up, T, zero), b.where(down, T, zero)];
    const through = (weights: readonly Value[], t: Value) => plain([t], mixed(x, weights))[i]!;
    const forPositive = b.add(through(positive, Tup), through(negative, Tdown));
    const forNegative = b.add(through(negative, Tup), through(positive, Tdown));
    const chosen = b.where(b.greater(x[i]!, 0), forPositive, forNegative);
    return x.map((_, k) => (k === i ? b.add(plain([T])[k]!, b.mul(chosen, gamma)) : undefined));
  };

/**
 * The γ rule in an addition y = a + c: g_a = g y w(a) / (w(a) a + w(c) c) with w(z) = 1 + γ [z y > 0], so that
 * R_a + R_c = R exactly and the denominator never vanishes before y does (Berend et al. 2026).
 */
export const residualGammaRule =
  (gamma: number): Pull =>
  ({ b, node, x, y, dy, wants }) => {
    const terms = x.map((v, i) => (i === 1 && node.operator === "Sub" ? b.neg(v) : v));
    const weights = terms.map((v) => b.where(b.greater(b.mul(v, y), 0), b.scalar(1 + gamma), b.scalar(1)));
    const D = b.sum(terms.map((v, i) => b.mul(v, weights[i]!)));
    const S = b.mul(dy, b.div(y, b.add(D, 1e-30)));
    return x.map((v, i) => {
      if (!wants[i]) return undefined;
      const part = b.mul(S, weights[i]!);
      return b.unbroadcast(i === 1 && node.operator === "Sub" ? b.neg(part) : part, v);
    });
  };
