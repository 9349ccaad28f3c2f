/**
 * Model parameter randomisation test: layers are made random from the output downwards; a map that does not change did not
 * look at the model.
 *
 *   mean over depths d of similarity( R of the model, R of the model with its last d layers random )      (down)
 */
import { defineMetric } from "../metric.js";
import { columnsOf } from "../model.js";
import { mean } from "../rank.js";
import { similarity, similarityOption } from "./similarity.js";

export const weightRandomisation = defineMetric({
  id: "weight-randomisation",
  title: "Similarity after weight randomisation",
  citation: "Adebayo et al. Sanity Checks for Saliency Maps. NeurIPS 2018.",
  direction: "down",
  range: [-1, 1],
  group: "sanity",
  needs: ["randomised-model"],
  options: { similarity: similarityOption },
  async measure(probe) {
    const { subject, target } = probe.case;
    const columns = columnsOf(subject, probe.relevance);
    const y: number[] = [];
    for (let depth = 1; ; depth++) {
      const explainer = await probe.randomised!(depth);
      if (!explainer) break;
      const map = await explainer.explain(subject.input, target);
      y.push(similarity(probe.options.similarity, probe.relevance, map, columns));
    }
    return { value: mean(y), curve: { x: y.map((_, i) => i + 1), y } };
  },
});
