/**
 * Salience-guided faithfulness coefficient. Units are cut in K groups of falling relevance; s_i is a group's relevance,
 * d_i = p(x) - p(x without group i). Over all pairs i < j (so s_i >= s_j):
 *
 *   SaCo = sum of (s_i - s_j) * (+1 where d_i >= d_j, -1 elsewhere) / sum of |s_i - s_j|,  in [-1, 1]
 */
import { defineRemoval, fillOption, mark, unitOption } from "../removal.js";

/** The coefficient itself, from the relevance and the loss of each group. */
export function salienceCoefficient(salience: readonly number[], loss: readonly number[]): number {
  let signed = 0;
  let total = 0;
  for (let i = 0; i < salience.length; i++) {
    for (let j = i + 1; j < salience.length; j++) {
      const weight = salience[i]! - salience[j]!;
      signed += loss[i]! >= loss[j]! ? weight : -weight;
      total += Math.abs(weight);
    }
  }
  return total > 0 ? signed / total : 0;
}

export const saco = defineRemoval({
  id: "saco",
  title: "Salience-guided faithfulness coefficient",
  citation: "Wu et al. On the Faithfulness of Vision Transformer Explanations. CVPR 2024.",
  direction: "up",
  range: [-1, 1],
  options: {
    groups: { title: "groups", default: 10, min: 2, max: 1000 },
    fill: fillOption("mean"),
    unit: unitOption,
  },
  async measure({ options }, { units, scores, order, losses }) {
    const ranked = order();
    const groups = Math.min(options.groups, units);
    const cut = (g: number) => Math.round((g * units) / groups);
    const members = Array.from({ length: groups }, (_, g) => ranked.subarray(cut(g), cut(g + 1)));
    const lost = await losses(
      members.map((group) => mark(group, group.length, units)),
      "probability",
    );
    const salience = members.map((group) => group.reduce((total, unit) => total + scores[unit]!, 0));
    return { value: salienceCoefficient(salience, lost) };
  },
});
