/**
 * Area under the receiver operating characteristic of the map as a detector of the truth: how likely a unit inside has the higher score
 * than one outside, equal scores counting half.
 *
 *   AUC = (sum of the ranks of units inside - P (P + 1) / 2) / (P N),   P units inside, N outside
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";
import { ranks } from "../rank.js";

export function rocArea(scores: ArrayLike<number>, truth: Uint8Array): number {
  const ranked = ranks(scores);
  let [inside, total] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    if (!truth[i]) continue;
    inside++;
    total += ranked[i]!;
  }
  const outside = truth.length - inside;
  return inside > 0 && outside > 0 ? (total - (inside * (inside + 1)) / 2) / (inside * outside) : 0.5;
}

export const rocAuc = defineMetric({
  id: "roc-auc",
  title: "ROC AUC against the mask or the gold spans",
  citation: "Fawcett. An Introduction to ROC Analysis. Pattern Recognition Letters 2006.",
  direction: "up",
  group: "localisation",
  needs: ["truth"],
  options: {},
  range: [0, 1],
  caveat: "small objects score well as soon as most of the background is quiet: read it beside average-precision",
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: rocArea(scores, truth) };
  },
});
