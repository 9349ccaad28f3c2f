/**
 * Sensitivity-n: does the relevance of a set add up to what the output loses without it?
 *
 *   mean over n of Pearson over random sets S of size n ( sum_(i in S) R_i , f(x) - f(x without S) )
 */
import { mean, pearson } from "../rank.js";
import { defineRemoval, fillOption, mark, scoreOption, sumsOf, unitOption } from "../removal.js";

const shares = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8];

export const sensitivityN = defineRemoval({
  id: "sensitivity-n",
  title: "Sensitivity-n (mean correlation)",
  citation:
    "Ancona et al. Towards Better Understanding of Gradient-based Attribution Methods for Deep Neural Networks. ICLR 2018.",
  direction: "up",
  range: [-1, 1],
  options: {
    score: { ...scoreOption, default: "logit" },
    fill: fillOption("mean"),
    unit: unitOption,
    sets: { title: "random sets per size", default: 20, min: 3, max: 10_000 },
  },
  async measure({ options, random }, { units, scores, losses }) {
    const all = Array.from({ length: units }, (_, i) => i);
    const sizes = [...new Set(shares.map((share) => Math.max(1, Math.round(share * units))))];
    const sets = sizes.flatMap((size) =>
      Array.from({ length: options.sets }, () => mark(random.shuffle(all), size, units)),
    );
    const lost = await losses(sets, options.score);
    const sums = sumsOf(scores, sets);
    const y = sizes.map((_, s) => {
      const [from, to] = [s * options.sets, (s + 1) * options.sets];
      return pearson(sums.slice(from, to), lost.slice(from, to));
    });
    return { value: mean(y), curve: { x: sizes.map((size) => size / units), y } };
  },
});
