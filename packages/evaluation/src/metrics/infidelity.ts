/**
 * Infidelity under removal of random sets S, relevance scaled by its best factor and divided by what predicting nothing costs:
 *
 *   min_b E_S [ ( b * sum_(i in S) R_i - (f(x) - f(x without S)) )^2 ] / E_S [ (f(x) - f(x without S))^2 ]
 *
 * 0: the map predicts every loss; 1: it predicts none. `scale=none` uses b = 1, for methods that claim completeness.
 */
import { defineMetric } from "../metric.js";
import { fillOption, inUnits, mark, removed, score, scoreOption, unitOption } from "../removal.js";

export const infidelity = defineMetric({
  id: "infidelity",
  title: "Infidelity (normalised)",
  citation: "Yeh et al. On the (In)fidelity and Sensitivity of Explanations. NeurIPS 2019.",
  direction: "down",
  group: "faithfulness",
  needs: ["model"],
  options: {
    score: { ...scoreOption, default: "logit" },
    fill: fillOption("mean"),
    unit: unitOption,
    scale: { title: "factor on the relevance", default: "best", choices: ["best", "none"] },
    sets: { title: "random sets", default: 64, min: 2, max: 10_000 },
  },
  async measure(probe) {
    const { subject, scores } = inUnits(probe, probe.options.unit);
    const units = Array.from({ length: subject.units }, (_, i) => i);
    const sets = Array.from({ length: probe.options.sets }, () => {
      const size = 1 + probe.random.int(Math.max(1, Math.floor(subject.units / 2)));
      return mark(probe.random.shuffle(units), size, subject.units);
    });
    const before = score(probe, await probe.logits(), probe.options.score);
    const answers = await removed(probe, subject, sets, probe.options.fill);
    const losses = answers.map((answer) => before - score(probe, answer, probe.options.score));
    const sums = sets.map((gone) => scores.reduce((total, value, i) => total + (gone[i] ? value : 0), 0));
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * b[i]!, 0);
    const own = dot(sums, sums);
    const factor = probe.options.scale === "none" ? 1 : own > 0 ? dot(sums, losses) / own : 0;
    const error = losses.map((loss, i) => factor * sums[i]! - loss);
    const cost = dot(losses, losses);
    return { value: cost > 0 ? dot(error, error) / cost : 0 };
  },
});
