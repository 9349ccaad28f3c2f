/**
 * Average precision of the map as a detector of the truth, equal scores taken together.
 *
 *   AP = sum_n (recall_n - recall_(n-1)) * precision_n   over falling thresholds
 *
 * The same number is the AUPRC of text rationales.
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";

export function averagePrecision(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => scores[j]! - scores[i]!);
  let positives = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i]) positives++;
  if (positives === 0) return 0;
  let hits = 0;
  let area = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    let gained = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) if (truth[order[end++]!]) gained++;
    hits += gained;
    area += (gained / positives) * (hits / end);
    start = end;
  }
  return area;
}

const common = { direction: "up", group: "localisation", options: {} } as const;

export const averagePrecisionMetric = defineMetric({
  ...common,
  id: "average-precision",
  title: "Average precision against the mask",
  citation: "Choe et al. Evaluating Weakly Supervised Object Localization Methods Right. CVPR 2020 (PxAP).",
  needs: ["truth", "picture"],
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: averagePrecision(scores, truth) };
  },
});

export const auprc = defineMetric({
  ...common,
  id: "auprc",
  title: "Token AUPRC against gold spans",
  citation: "DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.",
  needs: ["truth", "text"],
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: averagePrecision(scores, truth) };
  },
});
