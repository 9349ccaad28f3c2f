/** x ⊙ ∂y/∂x: at the pixels, or at the token embeddings summed over the hidden axis. Shrikumar et al. 2016. */
import type { BuiltMethod } from "./method.js";

export const gradientTimesInputMethod: BuiltMethod = {
  id: "gradient-x-input",
  title: "Gradient x input",
  citation:
    "Shrikumar et al. Not Just a Black Box: Learning Important Features Through Propagating Activation Differences. 2016.",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [],
  build: ({ b, analysis, gradientOf }) => {
    const { source } = analysis;
    const [gradient] = gradientOf([source.value]);
    const product = b.mul(b.asReal(source.value), gradient!);
    return { relevance: source.kind === "embedding" ? b.reduceSum(product, [-1], false) : product, sites: [] };
  },
};
