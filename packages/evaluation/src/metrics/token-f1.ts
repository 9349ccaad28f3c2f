/**
 * Token F1 of the most relevant tokens against the gold spans.
 *
 *   F1 = 2 |top_k and gold| / (k + |gold|),   k = |gold| ("gold": precision = recall) or k % of the tokens
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";
import type { Random } from "../random.js";
import { descending } from "../rank.js";

export function tokenF1(scores: ArrayLike<number>, gold: Uint8Array, k: number, random: Random): number {
  const top = descending(scores, random).subarray(0, k);
  const size = gold.reduce((total, value) => total + value, 0);
  const hits = top.reduce((total, token) => total + gold[token]!, 0);
  return k + size > 0 ? (2 * hits) / (k + size) : 0;
}

const common = {
  citation: "DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.",
  direction: "up",
  range: [0, 1],
  group: "localisation",
  needs: ["truth", "text"],
} as const;

export const tokenF1Gold = defineMetric({
  ...common,
  id: "token-f1",
  title: "Token F1 at gold length",
  options: {},
  measure(probe) {
    const { scores, truth } = locate(probe);
    return {
      value: tokenF1(
        scores,
        truth,
        truth.reduce((total, value) => total + value, 0),
        probe.random,
      ),
    };
  },
});

export const tokenF1Share = defineMetric({
  ...common,
  id: "token-f1-at",
  title: "Token F1 at k % (hard rationale)",
  options: { k: { title: "share of tokens, in percent", default: 20, min: 0.1, max: 100 } },
  measure(probe) {
    const { scores, truth } = locate(probe);
    const k = Math.max(1, Math.round((probe.options.k / 100) * scores.length));
    return { value: tokenF1(scores, truth, k, probe.random) };
  },
});
