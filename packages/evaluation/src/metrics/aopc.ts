/**
 * Area over the MoRF perturbation curve.
 *
 *   AOPC = 1 / (L + 1) * sum_(k = 0..L) ( f(x) - f(x without the k most relevant parts) )
 */
import { defineMetric } from "../metric.js";
import { descending, mean } from "../rank.js";
import {
  fillOption,
  inUnits,
  mark,
  removed,
  schedule,
  score,
  scoreOption,
  stepsOption,
  unitOption,
} from "../removal.js";

export const aopc = defineMetric({
  id: "aopc",
  title: "Area over the perturbation curve",
  citation: "Samek et al. Evaluating the Visualization of What a Deep Neural Network Has Learned. IEEE TNNLS 2017.",
  direction: "up",
  group: "faithfulness",
  needs: ["model"],
  options: {
    score: scoreOption,
    fill: fillOption("mean"),
    unit: unitOption,
    steps: stepsOption(20),
    most: { title: "largest share taken away", default: 0.5, min: 0.01, max: 1 },
  },
  async measure(probe) {
    const { subject, scores } = inUnits(probe, probe.options.unit);
    const order = descending(scores, probe.random);
    const counts = schedule(
      subject.units,
      probe.options.steps,
      Math.max(1, Math.round(probe.options.most * subject.units)),
    );
    const sets = counts.map((count) => mark(order, count));
    const y = (await removed(probe, subject, sets, probe.options.fill)).map((answer) =>
      score(probe, answer, probe.options.score),
    );
    return {
      value: mean(y.map((value) => y[0]! - value)),
      curve: { x: counts.map((count) => count / subject.units), y },
    };
  },
});
