/** x ⊙ ∂y/∂x: at the pixels, or at the token embeddings summed over the hidden axis. Shrikumar et al. 2016. */
import type { Analysis } from "../analysis.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import type { BuiltMethod, Explained } from "./method.js";

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
    const [gradient] = gradientOf([analysis.source.point]);
    return timesInput(b, analysis, gradient!);
  },
};

/** The explained point times a gradient there; of embeddings, one number per token. */
export function timesInput(b: Builder, { source }: Analysis, gradient: Value): Explained {
  const product = b.mul(b.asReal(source.point), gradient);
  if (source.kind === "input") return { relevance: product, sites: [] };
  return { relevance: b.reduceSum(product, [-1], false), sites: [], ...(source.norm && { norm: source.norm }) };
}
