/** AttnLRP with the γ rule in additions, where stream and branch may cancel; γ = 0 is AttnLRP. Berend et al. 2026. */
import { residualGammaRule } from "./gradient-rules.js";
import type { BuiltMethod } from "./method.js";
import { modifiedGradientTimesInput } from "./modified-gradient.js";

export const resLrp: BuiltMethod = {
  id: "res-lrp",
  title: "ResLRP",
  citation: "Berend, Achtibat, Dreyer et al. ResLRP. Preprint arXiv:2609.17152, 2026.",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [
    {
      name: "gamma",
      type: "number",
      default: 1,
      description:
        "γ of additions: the summand that agrees in sign with the sum weighs 1 + γ (1 in the paper, untuned)",
    },
  ],
  build: (c) => {
    const gamma = c.options.gamma as number;
    const add = gamma > 0 ? { add: residualGammaRule(gamma) } : {};
    return modifiedGradientTimesInput(c, { constantAttention: false, ...add });
  },
};
