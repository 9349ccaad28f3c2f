/**
 * ARCC: the harmonic mean of three properties of a map M scaled to [0, 1], of the picture x M (pixels times map, after normalisation).
 *
 *   average drop = max(0, p(x) - p(x M)) / p(x)          coherency  = max(0, Pearson( M, map of x M ))
 *   complexity   = mean of M                             ARCC = 3 / ( 1 / coherency + 1 / (1 - complexity) + 1 / (1 - average drop) )
 */
import { defineMetric } from "../metric.js";
import { perPixel, probability } from "../model.js";
import { mean, normalise, pearson } from "../rank.js";

export function harmonic(coherency: number, complexity: number, drop: number): number {
  const parts = [coherency, 1 - complexity, 1 - drop];
  return parts.some((part) => part <= 0) ? 0 : 3 / parts.reduce((total, part) => total + 1 / part, 0);
}

export const arcc = defineMetric({
  id: "arcc",
  title: "ARCC (average drop, coherency, complexity)",
  citation:
    "Poppi, Cornia, Baraldi, Cucchiara. Revisiting The Evaluation of Class Activation Mapping for Explainability. CVPR Workshops 2021.",
  direction: "up",
  group: "faithfulness",
  range: [0, 1],
  needs: ["model", "picture", "weighted", "second-map"],
  options: {},
  async measure({ case: { subject, target }, model: { activation }, relevance, explainer, logits, predict }) {
    const map = normalise(perPixel(subject, relevance));
    const input = subject.pixels!.weighted!(map);
    const again = normalise(perPixel(subject, await explainer.explain(input, target)));
    const [before, [after]] = [await logits(), await predict(1, () => subject.pixels!.weighted!(map))];
    const whole = probability(before, target, activation);
    const drop = Math.max(0, whole - probability(after!, target, activation)) / Math.max(whole, 1e-12);
    const parts = { coherency: Math.max(0, pearson(map, again)), complexity: mean(map), drop };
    return { value: harmonic(parts.coherency, parts.complexity, parts.drop), parts };
  },
});
