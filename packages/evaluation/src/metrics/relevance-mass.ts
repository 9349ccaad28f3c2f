/**
 * Relevance mass and rank accuracy.
 *
 *   mass = sum of positive relevance inside the truth / sum of all positive relevance        (`sign=positive`)
 *          sum of relevance inside the truth / sum of all relevance, whatever their signs    (`sign=signed`)
 *   rank = share of the K highest units that lie inside, with K the size of the truth
 *
 * The authors take maps that are not negative, so that both are one. On a signed map the second, which other libraries take, may leave
 * [0, 1] and has no bound where the sum is near 0.
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";
import type { Random } from "../random.js";
import { descending } from "../rank.js";

export function relevanceMass(scores: ArrayLike<number>, truth: Uint8Array, signed = false): number {
  let inside = 0;
  let all = 0;
  for (let i = 0; i < scores.length; i++) {
    const counted = signed ? scores[i]! : Math.max(0, scores[i]!);
    all += counted;
    if (truth[i]) inside += counted;
  }
  return all !== 0 ? inside / all : 0;
}

export function relevanceRank(scores: ArrayLike<number>, truth: Uint8Array, random: Random): number {
  const size = truth.reduce((total, value) => total + value, 0);
  const top = descending(scores, random).subarray(0, size);
  return size > 0 ? top.reduce((hits, unit) => hits + truth[unit]!, 0) / size : 0;
}

const common = {
  citation:
    "Arras, Osman, Samek. CLEVR-XAI: A Benchmark Dataset for the Ground Truth Evaluation of Neural Network Explanations. Information Fusion 2022.",
  direction: "up",
  group: "localisation",
  needs: ["truth"],
} as const;

export const relevanceMassMetric = defineMetric({
  ...common,
  id: "relevance-mass",
  title: "Relevance mass accuracy",
  options: {
    sign: { title: "which relevance counts", default: "positive", choices: ["positive", "signed"] },
  },
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: relevanceMass(scores, truth, probe.options.sign === "signed") };
  },
});

export const relevanceRankMetric = defineMetric({
  ...common,
  id: "relevance-rank",
  title: "Relevance rank accuracy",
  range: [0, 1],
  options: {},
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: relevanceRank(scores, truth, probe.random) };
  },
});
