/** x ⊙ g with constant attention weights, constant norm deviations, constant gates. Ali et al. 2022. */
import type { BuiltMethod } from "./method.js";
import { modifiedGradientTimesInput } from "./modified-gradient.js";

export const cpLrp: BuiltMethod = {
  id: "cp-lrp",
  title: "Conservative propagation (CP-LRP)",
  citation: "Ali et al. XAI for Transformers: Better Explanations through Conservative Propagation. ICML 2022.",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [],
  build: (c) => modifiedGradientTimesInput(c, { constantAttention: true }),
};
