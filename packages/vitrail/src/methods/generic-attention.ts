/**
 * A ← mean over heads of relu(∇A ⊙ A); row walk over I + A. Chefer et al. 2021b, eq. 5 and 6. Where one stream attends to another the
 * walk gives R_sq += A R_qq and R_ss += A R_qs; the paper's eq. 10 has R_sq += R̄_ssᵀ A R̄_qq, with rows of the added parts that sum to one.
 */
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
