/**
 * Area over the MoRF perturbation curve.
 *
 *   AOPC = 1 / (L + 1) * sum_(k = 0..L) ( f(x) - f(x without the k most relevant parts) )
 */
import { mean } from "../rank.js";
import { defineRemoval, fillOption, mark, schedule, scoreOption, stepsOption, unitOption } from "../removal.js";

export const aopc = defineRemoval({
  id: "aopc",
  title: "Area over the perturbation curve",
  citation: "Samek et al. Evaluating the Visualization of What a Deep Neural Network Has Learned. IEEE TNNLS 2017.",
  direction: "up",
  options: {
    score: scoreOption,
    fill: fillOption("mean"),
    unit: unitOption,
    steps: stepsOption(20),
    most: { title: "largest share taken away", default: 0.5, min: 0.01, max: 1 },
  },
  async measure({ options }, { units, order, without }) {
    const ranked = order();
    const counts = schedule(units, options.steps, Math.max(1, Math.round(options.most * units)));
    const y = await without(
      counts.map((count) => mark(ranked, count)),
      options.score,
    );
    return { value: mean(y.map((value) => y[0]! - value)), curve: { x: counts.map((count) => count / units), y } };
  },
});
