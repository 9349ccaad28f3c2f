/**
 * Sensitivity-n: does the relevance of a set add up to what the output loses without it?
 *
 *   mean over n of Pearson over random sets S of size n ( sum_(i in S) R_i , f(x) - f(x without S) )
 */
import { defineMetric } from "../metric.js";
import { mean, pearson } from "../rank.js";
import { fillOption, inUnits, mark, removed, score, scoreOption, unitOption } from "../removal.js";

const shares = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8];

export const sensitivityN = defineMetric({
  id: "sensitivity-n",
  title: "Sensitivity-n (mean correlation)",
  citation:
    "Ancona et al. Towards Better Understanding of Gradient-based Attribution Methods for Deep Neural Networks. ICLR 2018.",
  direction: "up",
  group: "faithfulness",
  needs: ["model"],
  options: {
    score: { ...scoreOption, default: "logit" },
    fill: fillOption("mean"),
    unit: unitOption,
    sets: { title: "random sets per size", default: 20, min: 3, max: 10_000 },
  },
  async measure(probe) {
    const { subject, scores } = inUnits(probe, probe.options.unit);
    const units = Array.from({ length: subject.units }, (_, i) => i);
    const sizes = [...new Set(shares.map((share) => Math.max(1, Math.round(share * subject.units))))];
    const sets = sizes.flatMap((size) =>
      Array.from({ length: probe.options.sets }, () => mark(probe.random.shuffle(units), size, subject.units)),
    );
    const before = score(probe, await probe.logits(), probe.options.score);
    const answers = await removed(probe, subject, sets, probe.options.fill);
    const losses = answers.map((answer) => before - score(probe, answer, probe.options.score));
    const sums = sets.map((gone) => scores.reduce((total, value, i) => total + (gone[i] ? value : 0), 0));
    const y = sizes.map((_, s) => {
      const from = s * probe.options.sets;
      return pearson(sums.slice(from, from + probe.options.sets), losses.slice(from, from + probe.options.sets));
    });
    return { value: mean(y), curve: { x: sizes.map((size) => size / subject.units), y } };
  },
});
