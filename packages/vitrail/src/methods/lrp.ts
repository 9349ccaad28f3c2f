/**
 * Relevance down to the input: at every pixel and channel, or at the tokens where the embeddings are complete, summed over the
 * hidden axis. Bach et al. 2015; for transformers with the authors' baseline rules (Chefer et al. 2021,
 * layers_lrp.py), or with the conserving ones of their method (layers_ours.py), which alone have sums for `compat`.
 *
 * The baseline's two denominators about double relevance at every linear layer: that is its rule, and a map of twelve blocks sums
 * to some 1e5. Its additions are not normalised, either: where a skip and its branch cancel, both the size and the rounding errors
 * grow without bound (a real ViT-S: 1e13, another map with the input moved by 1e-5). The stability reading says so, and `ridge`
 * holds it (the same map to four digits).
 */
import { chefer2021Input, lrp2021 } from "../relevance/composites.js";
import { compat } from "./compat.js";
import type { BuiltMethod } from "./method.js";
import { ridge, stabilizer } from "./stabilizer.js";

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
    stabilizer,
    ridge,
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
