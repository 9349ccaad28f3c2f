/**
 * Σ over the last layers of mean over heads and queries of relu(∇A). Bousselham et al. 2025. The authors score each
 * layer's own tokens; here every gradient is that of the model's final output, which needs no head applied to inner layers.
 */
import { type AttentionSite, isPoolingHead } from "../canonicalize/attention-site.js";
import { whole } from "../canonicalize/narrow.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { reciprocalOf } from "../ops/reduction.js";
import type { BuiltMethod } from "./method.js";

export const leGrad: BuiltMethod = {
  id: "le-grad",
  title: "LeGrad (gradients of the final output)",
  citation:
    "After Bousselham et al. LeGrad: An Explainability Method for Vision Transformers via Feature Formation Sensitivity. ICCV 2025; here with gradients of the final output, where the authors score each layer's own tokens: their maps differ.",
  needs: ["attention", "gradient"],
  classSpecific: true,
  kind: "tokens",
  signed: false,
  options: [
    {
      name: "layers",
      type: "integer",
      default: 2,
      description: "how many of the last blocks count (2 in the authors' code)",
    },
  ],
  build: ({ b, flow, view, analysis: { sites }, options }) => {
    const count = Math.max(1, options.layers as number);
    // A pooling head adds to nothing: what it reads is the row itself. For the blocks below, its own weights pass on that row.
    const perLayer = sites.slice(-count).map((layer) =>
      flow(
        (site) => {
          if (site === layer) return meanOverQueries(b, site, view(site).gradient);
          return isPoolingHead(site) ? view(site).weights : undefined;
        },
        { normalizeRows: isPoolingHead(layer) },
      ),
    );
    return { ...perLayer.at(-1)!, relevance: b.sum(perLayer.map((e) => e.relevance)) };
  },
};

/**
 * The same row for every query, so that the read-out, whose weights sum to one, reads it as it is. Queries that do not reach the
 * output have no gradient, and where they were left out of the computation they still count; a pooling head has one.
 */
function meanOverQueries(b: Builder, { axes, weights }: AttentionSite, gradient: Value): Value {
  const [query] = axes.query;
  const queries = b.shape(whole(weights))[query]!;
  const mean = b.mul(b.reduceSum(b.relu(gradient), [query]), reciprocalOf(b, queries));
  return b.add(mean, b.mul(gradient, 0));
}
