/**
 * Two models on the same input: do they decide alike, and for the same reasons? R and R' are the maps of one class by one method.
 *
 *   same-decision      = 1 where both name the same top class (both judge label by label: the same set of labels)
 *   probability-change = |p(x) - p'(x)| of the explained class, each as its model means it
 *   map-agreement      = Spearman( R, R' )
 *   top-overlap        = |top_k(R) and top_k(R')| / k,  k a share of the units; two random maps share that same share
 */
import { defineMetric } from "../metric.js";
import { argmax, perUnit, probability } from "../model.js";
import { descending, spearman } from "../rank.js";

const common = { needs: ["second-model"], options: {} } as const;
const citation = "agreement of two models, as measured here";

export const sameDecision = defineMetric({
  ...common,
  id: "same-decision",
  title: "Same decision by both models",
  hits: true,
  citation,
  direction: "up",
  group: "decision",
  caveat: "a property of the models: equal for every method",
  async measure(probe) {
    const [a, b] = [await probe.logits(), await probe.second!.logits()];
    const same =
      probe.model.activation === "sigmoid" && probe.second!.activation === "sigmoid"
        ? a.every((logit, label) => logit > 0 === b[label]! > 0)
        : argmax(a) === argmax(b);
    return { value: Number(same) };
  },
});

export const probabilityChange = defineMetric({
  ...common,
  id: "probability-change",
  title: "Change of the explained class's probability",
  range: [0, 1],
  citation,
  direction: "down",
  group: "decision",
  caveat: "a property of the models: equal for every method",
  async measure({ case: { target }, model: { activation }, logits, second }) {
    const [a, b] = [await logits(), await second!.logits()];
    return { value: Math.abs(probability(a, target, activation) - probability(b, target, second!.activation)) };
  },
});

export const mapAgreement = defineMetric({
  ...common,
  id: "map-agreement",
  title: "Rank correlation of both models' maps",
  range: [-1, 1],
  citation,
  direction: "up",
  group: "agreement",
  caveat: "maps that do not look at the model agree as well: read it beside the sanity metrics",
  measure: async ({ relevance, second }) => ({ value: spearman(relevance, await second!.map()) }),
});

export const topOverlap = defineMetric({
  ...common,
  id: "top-overlap",
  title: "Overlap of both models' most relevant units",
  range: [0, 1],
  citation: "Ghorbani, Abid, Zou. Interpretation of Neural Networks Is Fragile. AAAI 2019 (top-k intersection).",
  direction: "up",
  group: "agreement",
  options: { k: { title: "share of units, in percent", default: 10, min: 0.1, max: 100 } },
  async measure({ case: { subject }, relevance, second, options, random }) {
    const k = Math.max(1, Math.round((options.k / 100) * subject.units));
    const [a, b] = [relevance, await second!.map()].map((map) =>
      descending(perUnit(subject, map), random).subarray(0, k),
    );
    const top = new Set(a);
    return { value: b!.filter((unit) => top.has(unit)).length / k };
  },
});
