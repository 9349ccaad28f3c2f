/**
 * Iterative removal of features, in patches instead of superpixels: from the most relevant on, p_k the class's probability after k of L.
 *
 *   IROF = 1 - 1 / L * area under p_k / p_0 by trapezoids, k = 1..L
 */
import { trapezoid } from "../rank.js";
import { defineRemoval, fillOption, mark } from "../removal.js";

export const irofPatches = defineRemoval({
  id: "irof-patches",
  title: "Iterative removal of features (patches, not superpixels)",
  citation: "Rieger, Hansen. IROF: A Low Resource Evaluation Metric for Explanation Methods. 2020.",
  direction: "up",
  needs: ["picture"],
  options: {
    fill: fillOption("mean"),
    unit: { title: "what is taken away at once", default: "patch", choices: ["patch"] },
  },
  async measure({ options: _ }, { units, order, without, before }) {
    const ranked = order();
    const whole = await before("probability");
    const counts = Array.from({ length: units }, (_, k) => k + 1);
    const y = await without(
      counts.map((count) => mark(ranked, count)),
      "probability",
    );
    const left = y.map((value) => value / Math.max(whole, 1e-12));
    return { value: 1 - trapezoid(counts, left) / units, curve: { x: counts.map((count) => count / units), y: left } };
  },
});
