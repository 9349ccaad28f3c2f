/**
 * Remove and debias: patches are replaced by noisy linear imputation, which leaves no trace of the mask's shape.
 *
 *   ROAD = mean over shares {0.1, 0.2, ... 0.9} of p(x without least relevant) - p(x without most relevant)
 *
 * Each missing pixel is the weighted mean of its eight neighbours (1/6 beside, 1/12 across), solved for all at once, plus small noise.
 */
import { mean } from "../rank.js";
import { defineRemoval, mark, unitOption } from "../removal.js";

const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export const road = defineRemoval({
  id: "road",
  title: "ROAD (least minus most relevant removed)",
  citation: "Rong et al. A Consistent and Efficient Evaluation Strategy for Attribution Methods. ICML 2022.",
  direction: "up",
  needs: ["picture"],
  fill: "linear",
  options: { unit: unitOption },
  async measure(_probe, { units, order, without }) {
    const most = order();
    const counts = shares.map((share) => Math.round(share * units));
    const sets = [most, most.toReversed()].flatMap((ranked) => counts.map((count) => mark(ranked, count)));
    const y = await without(sets, "probability");
    const [morf, lerf] = [mean(y.slice(0, shares.length)), mean(y.slice(shares.length))];
    return { value: lerf - morf, parts: { morf, lerf }, curve: { x: shares, y: y.slice(0, shares.length) } };
  },
});
