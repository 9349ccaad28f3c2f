/**
 * Infidelity under removal of random sets S, relevance scaled by its best factor and divided by what predicting nothing costs:
 *
 *   min_b E_S [ ( b * sum_(i in S) R_i - (f(x) - f(x without S)) )^2 ] / E_S [ (f(x) - f(x without S))^2 ]
 *
 * 0: the map predicts every loss; 1: it predicts none. `scale=none` uses b = 1, for methods that claim completeness.
 */
import { defineRemoval, fillOption, mark, scoreOption, sumsOf, unitOption } from "../removal.js";

export const infidelity = defineRemoval({
  id: "infidelity",
  title: "Infidelity (normalised)",
  citation: "Yeh et al. On the (In)fidelity and Sensitivity of Explanations. NeurIPS 2019.",
  direction: "down",
  options: {
    score: { ...scoreOption, default: "logit" },
    fill: fillOption("mean"),
    unit: unitOption,
    scale: { title: "factor on the relevance", default: "best", choices: ["best", "none"] },
    sets: { title: "random sets", default: 64, min: 2, max: 10_000 },
  },
  async measure({ options, random }, { units, scores, losses }) {
    const all = Array.from({ length: units }, (_, i) => i);
    const sets = Array.from({ length: options.sets }, () => {
      const size = 1 + random.int(Math.max(1, Math.floor(units / 2)));
      return mark(random.shuffle(all), size, units);
    });
    const lost = await losses(sets, options.score);
    const sums = sumsOf(scores, sets);
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * b[i]!, 0);
    const own = dot(sums, sums);
    const factor = options.scale === "none" ? 1 : own > 0 ? dot(sums, lost) / own : 0;
    const error = lost.map((loss, i) => factor * sums[i]! - loss);
    const cost = dot(lost, lost);
    return { value: cost > 0 ? dot(error, error) / cost : 0 };
  },
});
