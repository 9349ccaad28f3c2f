/** Product over blocks of the row-normalised I + mean over heads of A. Abnar & Zuidema 2020, section 3. */
import { rowMethod } from "./method.js";

export const attentionRollout = rowMethod({
  id: "attention-rollout",
  title: "Attention rollout",
  citation: "Abnar & Zuidema. Quantifying Attention Flow in Transformers. ACL 2020.",
  needs: ["attention"],
  classSpecific: false,
  normalized: true,
  layer: ({ weights }) => weights,
});
