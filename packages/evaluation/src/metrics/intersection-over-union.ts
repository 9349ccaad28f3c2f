/**
 * Intersection over union at the best threshold of each map: what the map could say at most, if somebody chose the cut.
 *
 *   max over t of |{map >= t} and truth| / |{map >= t} or truth|
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";

export function bestIntersectionOverUnion(scores: ArrayLike<number>, truth: Uint8Array): number {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => scores[j]! - scores[i]!);
  const size = truth.reduce((total, value) => total + value, 0);
  let inside = 0;
  let best = 0;
  for (let found = 1; found <= order.length; found++) {
    if (truth[order[found - 1]!]) inside++;
    if (scores[order[found - 1]!] === scores[order[found]!]) continue;
    best = Math.max(best, inside / (found + size - inside));
  }
  return best;
}

export const intersectionOverUnion = defineMetric({
  id: "iou",
  title: "IoU at the best threshold",
  citation: "Choe et al. Evaluating Weakly Supervised Object Localization Methods Right. CVPR 2020.",
  direction: "up",
  group: "localisation",
  needs: ["truth"],
  options: {},
  range: [0, 1],
  caveat: "the threshold is chosen with the truth in hand: an upper bound",
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: bestIntersectionOverUnion(scores, truth) };
  },
});
