/**
 * Monotonicity: units are put on an emptied input from the least to the most relevant.
 *
 *   monotonicity = share of the steps at which the class's score does not fall
 *
 * The authors ask whether all steps are such, which long inputs never are; `ask=all` gives that.
 */
import {
  complement,
  defineRemoval,
  fillOption,
  mark,
  schedule,
  scoreOption,
  stepsOption,
  unitOption,
} from "../removal.js";

export const monotonicity = defineRemoval({
  id: "monotonicity",
  title: "Monotonicity",
  citation:
    "Arya et al. One Explanation Does Not Fit All: A Toolkit and Taxonomy of AI Explainability Techniques. 2019.",
  direction: "up",
  range: [0, 1],
  options: {
    score: scoreOption,
    fill: fillOption("neutral"),
    unit: unitOption,
    steps: stepsOption(32),
    ask: { title: "the share of steps, or whether all do not fall", default: "share", choices: ["share", "all"] },
  },
  async measure({ options }, { units, order, without }) {
    const rising = order().toReversed();
    const counts = schedule(units, options.steps);
    const y = await without(
      counts.map((count) => complement(mark(rising, count))),
      options.score,
    );
    const good = y.slice(1).filter((value, i) => value >= y[i]!).length / (y.length - 1);
    return { value: options.ask === "all" ? Number(good === 1) : good, curve: { x: counts.map((n) => n / units), y } };
  },
});
