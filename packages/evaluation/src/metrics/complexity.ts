/**
 * Complexity: does the map commit itself? With |R| sorted upwards, n units, p_i = |R_i| / sum |R|:
 *
 *   Gini    = 1 - 2 * sum_k (|R|_(k) / sum |R|) * (n - k + 0.5) / n      0 = even, near 1 = one unit
 *   entropy = - sum_i p_i ln p_i / ln n                                  1 = even, 0 = one unit
 */
import { defineMetric } from "../metric.js";
import { sum } from "../rank.js";

export function gini(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values, Math.abs).sort();
  const total = sum(sorted);
  if (total === 0) return 0;
  const n = sorted.length;
  return 1 - 2 * sorted.reduce((all, value, i) => all + (value / total) * ((n - i - 0.5) / n), 0);
}

export function entropy(values: ArrayLike<number>): number {
  const sizes = Float64Array.from(values, Math.abs);
  const total = sum(sizes);
  if (total === 0 || sizes.length < 2) return 0;
  return (
    -sizes.reduce((all, size) => all + (size > 0 ? (size / total) * Math.log(size / total) : 0), 0) /
    Math.log(sizes.length)
  );
}

const common = {
  group: "complexity",
  needs: [],
  options: {},
  range: [0, 1],
  caveat: "says nothing about truth: a wrong map can be sparse",
} as const;

export const giniMetric = defineMetric({
  ...common,
  id: "gini",
  title: "Gini index of the map",
  citation: "Chalasani et al. Concise Explanations of Neural Networks using Adversarial Training. ICML 2020.",
  direction: "up",
  measure: ({ relevance }) => ({ value: gini(relevance) }),
});

export const entropyMetric = defineMetric({
  ...common,
  id: "entropy",
  title: "Entropy of the map",
  citation: "Bhatt, Weller, Moura. Evaluating and Aggregating Feature-based Model Explanations. IJCAI 2020.",
  direction: "down",
  measure: ({ relevance }) => ({ value: entropy(relevance) }),
});
