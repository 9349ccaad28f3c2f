/**
 * x ⊙ g of the balanced gradient: [softmax] V, x [gate], (x - μ) / [σ] with what stands in brackets held constant, gated products
 * halved. Mehri et al. 2025; its read-out "input x gradient", which is what CP-LRP gives.
 */
import type { BuiltMethod } from "./method.js";
import { modifiedGradientTimesInput } from "./modified-gradient.js";

export const libraGrad: BuiltMethod = {
  id: "libra-grad",
  title: "LibraGrad, input x gradient",
  citation:
    "Mehri, Baghshah & Pilehvar. LibraGrad: Balancing Gradient Flow for Universally Better Vision Transformer Attributions. CVPR 2025.",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [],
  build: (c) => modifiedGradientTimesInput(c, { constantAttention: true }),
};
