/**
 * A ← mean over heads of relu(∇A ⊙ R_A); row walk over I + A. Chefer et al. 2021, eq. 13 and 14; the options `gradient` and
 * `singleBlock` are the ablations of its table 3 (in the authors' code: method "rollout", and "last_layer" or "second_layer").
 */
import { chefer2021 } from "../relevance/composites.js";
import { compat } from "./compat.js";
import { type MethodOption, rowMethod } from "./method.js";
import { ridge, stabilizer } from "./stabilizer.js";

const gradientOption: MethodOption = {
  name: "gradient",
  type: "boolean",
  default: true,
  description:
    "relevance is weighted with the gradient; without it relu(R_A) alone is aggregated (an ablation of the paper)",
};
const singleBlock: MethodOption = {
  name: "singleBlock",
  type: "boolean",
  default: false,
  description: "only the block startLayer counts (an ablation of the paper)",
};

export const transformerAttribution = rowMethod({
  id: "transformer-attribution",
  title: "Transformer attribution",
  citation: "Chefer, Gur & Wolf. Transformer Interpretability Beyond Attention Visualization. CVPR 2021.",
  needs: ["attention", "gradient", "relevance"],
  classSpecific: true,
  composite: () => chefer2021,
  options: [stabilizer, ridge, gradientOption, singleBlock, compat],
  counts: (index, { startLayer, singleBlock: single }) =>
    single === true ? index === startLayer : index >= (startLayer as number),
  // Not taken apart: reading a part is what asks for its pass.
  layer: (site, b, { gradient }) => b.relu(gradient === false ? site.relevance : b.mul(site.gradient, site.relevance)),
});
