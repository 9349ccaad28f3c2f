/**
 * Does the map depend on the class that is asked for?
 *
 *   random-logit      = similarity( R of the target, R of one random other class )                            (down)
 *   class-sensitivity = 1 - mean over the other classes (the most probable ones) of Pearson( R_target, R_other )  (up)
 *
 * A method that ignores the class, such as attention rollout, scores exactly 1 and 0: it is not class-specific.
 */
import { defineMetric } from "../metric.js";
import { columnsOf } from "../model.js";
import { mean, pearson } from "../rank.js";
import { similarity, similarityOption } from "./similarity.js";

const same = (a: Float32Array, b: Float32Array): boolean => a.every((value, i) => value === b[i]);
const note = "not class-specific";

export const randomLogit = defineMetric({
  id: "random-logit",
  title: "Similarity to a random class's map",
  range: [-1, 1],
  citation: "Sixt, Granz, Landgraf. When Explanations Lie: Why Many Modified BP Attributions Fail. ICML 2020.",
  direction: "down",
  group: "sanity",
  needs: ["model", "second-map"],
  options: { similarity: similarityOption },
  async measure(probe) {
    const { subject, target } = probe.case;
    const classes = (await probe.logits()).length;
    const other = (target + 1 + probe.random.int(classes - 1)) % classes;
    const map = await probe.explain(other);
    const value = similarity(probe.options.similarity, probe.relevance, map, columnsOf(subject, map));
    return { value, ...(same(map, probe.relevance) && { note }) };
  },
});

export const classSensitivity = defineMetric({
  id: "class-sensitivity",
  title: "Class sensitivity",
  range: [0, 2],
  citation:
    "Rebuffi et al. There and Back Again: Revisiting Backpropagation Saliency Methods. CVPR 2020 (class sensitivity).",
  direction: "up",
  group: "sanity",
  needs: ["model", "second-map"],
  options: { others: { title: "other classes", default: 2, min: 1, max: 1000 } },
  async measure(probe) {
    const logits = await probe.logits();
    const others = Array.from(logits, (_, index) => index)
      .filter((index) => index !== probe.case.target)
      .sort((a, b) => logits[b]! - logits[a]! || a - b)
      .slice(0, probe.options.others);
    const maps = await Promise.all(others.map((other) => probe.explain(other)));
    const blind = maps.every((map) => same(map, probe.relevance));
    const value = 1 - mean(maps.map((map) => (same(map, probe.relevance) ? 1 : pearson(map, probe.relevance))));
    return { value, ...(blind && { note }) };
  },
});
