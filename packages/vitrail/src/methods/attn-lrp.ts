/** x ⊙ g with the softmax differentiated and half to each factor of Q Kᵀ and A V; ε or γ in linear layers. Achtibat et al. 2024. */
import { epsilonRule, gammaRule, type Pull } from "./gradient-rules.js";
import type { BuiltMethod, MethodOption } from "./method.js";
import { modifiedGradientTimesInput } from "./modified-gradient.js";

const epsilon: MethodOption = {
  name: "epsilon",
  type: "number",
  default: 0,
  description: "ε of linear layers where γ is 0: g y / (y + s(y) ε)",
};
const gamma: MethodOption = {
  name: "gamma",
  type: "number",
  default: 0,
  description:
    "γ of linear layers: contributions that agree in sign with their sum weigh 1 + γ (the authors try 0 to 1 on ViT)",
};
const convolutionGamma: MethodOption = {
  name: "convolutionGamma",
  type: "number",
  default: 0,
  description: "γ of convolutions (the authors try 0.1, 0.25 and 100 on ViT)",
};

export const attnLrp: BuiltMethod = {
  id: "attn-lrp",
  title: "AttnLRP",
  citation: "Achtibat et al. AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers. ICML 2024.",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [epsilon, gamma, convolutionGamma],
  build: (c) => {
    const o = c.options as Record<string, number>;
    const rule = (g: number): Pull | undefined =>
      g > 0 ? gammaRule(g) : o.epsilon! > 0 ? epsilonRule(o.epsilon!) : undefined;
    const [product, convolution] = [rule(o.gamma!), rule(o.convolutionGamma!)];
    const linear: Pull = (p) =>
      ((p.node.operator === "Conv" ? convolution : product) ?? ((q: typeof p) => q.plain()))(p);
    return modifiedGradientTimesInput(c, { constantAttention: false, linear });
  },
};
