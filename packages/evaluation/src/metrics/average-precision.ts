/**
 * The map as a detector of the truth, equal scores taken together, over falling thresholds n:
 *
 *   average-precision = sum_n (recall_n - recall_(n-1)) * precision_n
 *   auprc             = area under precision over recall by trapezoids, from (recall 0, precision 1) on, as ERASER takes it
 *
 * Trapezoids promise too much between thresholds (Davis & Goadrich 2006): auprc is larger where scores are few.
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";

interface Threshold {
  readonly recall: number;
  readonly precision: number;
}

/** Precision and recall at every distinct score, the highest first; none where nothing is true. */
function thresholds(scores: ArrayLike<number>, truth: ArrayLike<number>): Threshold[] {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => scores[j]! - scores[i]!);
  let positives = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i]) positives++;
  if (positives === 0) return [];
  const result: Threshold[] = [];
  let hits = 0;
  for (let end = 0; end < order.length; ) {
    const score = scores[order[end]!];
    while (end < order.length && scores[order[end]!] === score) if (truth[order[end++]!]) hits++;
    result.push({ recall: hits / positives, precision: hits / end });
  }
  return result;
}

export function averagePrecision(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [area, before] = [0, 0];
  for (const { recall, precision } of thresholds(scores, truth)) {
    area += (recall - before) * precision;
    before = recall;
  }
  return area;
}

export function precisionRecallArea(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  let area = 0;
  let before: Threshold = { recall: 0, precision: 1 };
  for (const next of thresholds(scores, truth)) {
    area += ((next.recall - before.recall) * (next.precision + before.precision)) / 2;
    before = next;
  }
  return area;
}

const common = { direction: "up", group: "localisation", options: {}, range: [0, 1] } as const;

export const averagePrecisionMetric = defineMetric({
  ...common,
  id: "average-precision",
  title: "Average precision against the mask or the gold spans",
  citation: "Choe et al. Evaluating Weakly Supervised Object Localization Methods Right. CVPR 2020 (PxAP).",
  needs: ["truth"],
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: averagePrecision(scores, truth) };
  },
});

export const auprc = defineMetric({
  ...common,
  id: "auprc",
  title: "Token AUPRC against gold spans (trapezoids)",
  citation: "DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.",
  needs: ["truth", "text"],
  caveat: "trapezoids between thresholds flatter maps with few distinct scores: read it beside average-precision",
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: precisionRecallArea(scores, truth) };
  },
});
