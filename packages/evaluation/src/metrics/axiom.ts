/**
 * Axioms, as relative errors.
 *
 *   completeness = |sum R - v| / max(|v|, 1e-6),  v = f(x) ("logit") or f(x) - f(everything removed) ("difference")
 *   conservation = mean over blocks b of |sum R at b - 1|, relevance starting as 1 at the target
 */
import { defineMetric } from "../metric.js";
import { mean, sum } from "../rank.js";
import { fillOption } from "../removal.js";

export const completeness = defineMetric({
  id: "completeness",
  title: "Completeness error",
  citation: "Sundararajan, Taly, Yan. Axiomatic Attribution for Deep Networks. ICML 2017.",
  direction: "down",
  group: "axiom",
  needs: ["model"],
  options: {
    value: { title: "what relevance should sum to", default: "logit", choices: ["logit", "difference"] },
    fill: fillOption("zero"),
  },
  caveat: "only for methods that claim it; attention maps do not",
  async measure(probe) {
    const { subject, target } = probe.case;
    let value = (await probe.logits())[target]!;
    if (probe.options.value === "difference") {
      const all = new Uint8Array(subject.units).fill(1);
      const [empty] = await probe.predict(1, () => subject.without(all, probe.options.fill, probe.random));
      value -= empty![target]!;
    }
    return { value: Math.abs(sum(probe.relevance) - value) / Math.max(Math.abs(value), 1e-6) };
  },
});

export const conservation = defineMetric({
  id: "conservation",
  title: "Conservation error per block",
  citation: "Bach et al. On Pixel-Wise Explanations for Non-Linear Classifier Decisions. PLoS ONE 2015.",
  direction: "down",
  group: "axiom",
  needs: ["block-sums"],
  options: {},
  caveat: "only for methods that claim it; a conserving map can still be wrong",
  async measure(probe) {
    const sums = Array.from(await probe.explainer.sums!(probe.case.subject.input, probe.case.target));
    return {
      value: mean(sums.map((value) => Math.abs(value - 1))),
      curve: { x: sums.map((_, block) => block), y: sums },
    };
  },
});
