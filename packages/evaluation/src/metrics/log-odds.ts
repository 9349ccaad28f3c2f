/**
 * Log-odds: how much the log probability of the class falls without the k % most relevant units.
 *
 *   log-odds = log p(x without top k %) - log p(x)
 */
import { defineMetric } from "../metric.js";
import { descending } from "../rank.js";
import { fillOption, inUnits, mark, removed, score, unitOption } from "../removal.js";

export const logOdds = defineMetric({
  id: "log-odds",
  title: "Log-odds without the top k %",
  citation:
    "Shrikumar, Greenside, Kundaje. Learning Important Features Through Propagating Activation Differences. ICML 2017.",
  direction: "down",
  group: "faithfulness",
  needs: ["model"],
  options: {
    k: { title: "share taken away, in percent", default: 20, min: 0.1, max: 100 },
    fill: fillOption("mean"),
    unit: unitOption,
  },
  async measure(probe) {
    const { subject, scores } = inUnits(probe, probe.options.unit);
    const count = Math.max(1, Math.round((probe.options.k / 100) * subject.units));
    const gone = mark(descending(scores, probe.random), count);
    const [after] = await removed(probe, subject, [gone], probe.options.fill);
    const log = (logits: Float32Array) => Math.log(Math.max(score(probe, logits, "probability"), 1e-12));
    return { value: log(after!) - log(await probe.logits()) };
  },
});
