/**
 * x ⊙ g of the balanced gradient: [softmax] V, x [gate], (x - μ) / [σ] with what stands in brackets held constant, gated products
 * halved. Mehri et al. 2025, with two of its read-outs: "input x gradient", which is what CP-LRP gives, and FullGrad+.
 */
import { fullGradient } from "./full-gradient.js";
import type { BuiltMethod } from "./method.js";
import { modifiedGradientTimesInput, type Theory } from "./modified-gradient.js";

const theory: Theory = { constantAttention: true };

export const libraGrad: BuiltMethod = {
  id: "libra-grad",
  title: "LibraGrad, input x gradient or FullGrad+",
  citation:
    "Mehri, Baghshah & Pilehvar. LibraGrad: Balancing Gradient Flow for Universally Better Vision Transformer Attributions. CVPR 2025.",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [
    {
      name: "full",
      type: "boolean",
      default: false,
      description:
        "FullGrad+: a value per token, summed over the inputs of all blocks and over what biases add (needs attention)",
    },
  ],
  everyToken: ({ full }) => full === true,
  build: (c) => (c.options.full === true ? fullGradient(c, theory) : modifiedGradientTimesInput(c, theory)),
};
