/**
 * Relevance down to the input: at every pixel and channel, or at the tokens where the embeddings are complete, summed over the
 * hidden axis. Bach et al. 2015; for transformers with the authors' baseline rules (Chefer et al. 2021,
 * layers_lrp.py), or with the conserving ones of their method (layers_ours.py), which alone have sums for `compat`.
 */
import { chefer2021Input, lrp2021 } from "../relevance/composites.js";
import { compat } from "./compat.js";
import type { BuiltMethod } from "./method.js";

export const lrp: BuiltMethod = {
  id: "lrp",
  title: "Layer-wise relevance propagation",
  citation:
    "Bach et al. On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation. PLOS ONE 2015.",
  needs: ["relevance"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [
    {
      name: "conserving",
      type: "boolean",
      default: false,
      description:
        'the rules of transformer attribution, which conserve relevance (the authors\' method "full"), not those of their baseline',
    },
    compat,
  ],
  composite: ({ conserving }) => (conserving === true ? chefer2021Input : lrp2021),
  build: ({ b, analysis: { source, sites }, flow, relevanceOf }) => {
    if (source.kind === "input") return { relevance: relevanceOf([source.value])[0]!, sites: [] };
    const embedded = sites.length > 0 ? flow(() => undefined).tokens : undefined;
    const [relevance] = relevanceOf([embedded ?? source.value]);
    return { relevance: b.reduceSum(relevance!, [-1], false), sites: [] };
  },
};
