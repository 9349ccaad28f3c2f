/**
 * Remove and debias: patches are replaced by noisy linear imputation, which leaves no trace of the mask's shape.
 *
 *   ROAD = mean over shares {0.1, 0.2, ... 0.9} of p(x without least relevant) - p(x without most relevant)
 *
 * Each missing pixel is the weighted mean of its eight neighbours (1/6 beside, 1/12 across), solved for all at once, plus small noise.
 */
import { defineMetric } from "../metric.js";
import { descending, mean } from "../rank.js";
import { inUnits, mark, removed, score, unitOption } from "../removal.js";

const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export const road = defineMetric({
  id: "road",
  title: "ROAD (least minus most relevant removed)",
  citation: "Rong et al. A Consistent and Efficient Evaluation Strategy for Attribution Methods. ICML 2022.",
  direction: "up",
  group: "faithfulness",
  needs: ["model", "picture"],
  options: { unit: unitOption },
  async measure(probe) {
    const { subject, scores } = inUnits(probe, probe.options.unit);
    const most = descending(scores, probe.random);
    const counts = shares.map((share) => Math.round(share * subject.units));
    const sets = [most, most.toReversed()].flatMap((order) => counts.map((count) => mark(order, count)));
    const answers = await removed(probe, subject, sets, "linear");
    const y = answers.map((answer) => score(probe, answer, "probability"));
    const morf = y.slice(0, shares.length);
    const lerf = y.slice(shares.length);
    return {
      value: mean(lerf) - mean(morf),
      parts: { morf: mean(morf), lerf: mean(lerf) },
      curve: { x: shares, y: morf },
    };
  },
});
