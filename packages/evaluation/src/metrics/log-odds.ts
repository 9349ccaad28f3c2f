/**
 * Log-odds: how much the log probability of the class falls without the k % most relevant units.
 *
 *   log-odds = log p(x without top k %) - log p(x)
 */
import { defineRemoval, fillOption, mark, unitOption } from "../removal.js";

export const logOdds = defineRemoval({
  id: "log-odds",
  title: "Log-odds without the top k %",
  citation:
    "Shrikumar, Greenside, Kundaje. Learning Important Features Through Propagating Activation Differences. ICML 2017.",
  direction: "down",
  options: {
    k: { title: "share taken away, in percent", default: 20, min: 0.1, max: 100 },
    fill: fillOption("mean"),
    unit: unitOption,
  },
  async measure({ options }, { units, order, without, before }) {
    const gone = mark(order(), Math.max(1, Math.round((options.k / 100) * units)));
    const [after] = await without([gone], "probability");
    const log = (p: number) => Math.log(Math.max(p, 1e-12));
    return { value: log(after!) - log(await before("probability")) };
  },
});
