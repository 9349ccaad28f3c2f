/** A ← mean over heads of relu(∇A ⊙ R_A); row walk over I + A. Chefer et al. 2021, eq. 13 and 14. */
import { chefer2021 } from "../relevance/composites.js";
import { type MethodOption, rowMethod } from "./method.js";

export const stabilizer: MethodOption = {
  name: "stabilizer",
  type: "number",
  default: 0,
  description: "ε in S = R / (z + s(z) ε mean|z|) for additions and data products; 0 is the authors' 1e-9",
};

export const transformerAttribution = rowMethod({
  id: "transformer-attribution",
  title: "Transformer attribution",
  citation: "Chefer, Gur & Wolf. Transformer Interpretability Beyond Attention Visualization. CVPR 2021.",
  needs: ["attention", "gradient", "relevance"],
  classSpecific: true,
  composite: chefer2021,
  options: [stabilizer],
  layer: ({ gradient, relevance }, b) => b.relu(b.mul(gradient, relevance)),
});
