/** A ← mean over heads of relu(∇A ⊙ A); row walk over I + A. Chefer et al. 2021b, eq. 5 and 6. */
import { rowMethod } from "./method.js";

export const genericAttention = rowMethod({
  id: "generic-attention",
  title: "Generic attention explainability",
  citation:
    "Chefer, Gur & Wolf. Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers. ICCV 2021.",
  needs: ["attention", "gradient"],
  classSpecific: true,
  layer: ({ gradient, weights }, b) => b.relu(b.mul(gradient, weights)),
});
