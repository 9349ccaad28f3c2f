/**
 * Relevance mass and rank accuracy.
 *
 *   mass = sum of positive relevance inside the truth / sum of all positive relevance
 *   rank = share of the K highest units that lie inside, with K the size of the truth
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";
import type { Random } from "../random.js";
import { descending } from "../rank.js";

export function relevanceMass(scores: ArrayLike<number>, truth: Uint8Array): number {
  let inside = 0;
  let all = 0;
  for (let i = 0; i < scores.length; i++) {
    const positive = Math.max(0, scores[i]!);
    all += positive;
    if (truth[i]) inside += positive;
  }
  return all > 0 ? inside / all : 0;
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
  options: {},
} as const;

export const relevanceMassMetric = defineMetric({
  ...common,
  id: "relevance-mass",
  title: "Relevance mass accuracy",
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: relevanceMass(scores, truth) };
  },
});

export const relevanceRankMetric = defineMetric({
  ...common,
  id: "relevance-rank",
  title: "Relevance rank accuracy",
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: relevanceRank(scores, truth, probe.random) };
  },
});
