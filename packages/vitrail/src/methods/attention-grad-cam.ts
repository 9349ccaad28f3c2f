/**
 * relu(mean over heads of w A) at the row that the head reads in the last block, w the mean of ∇A over the patches of that row.
 * The authors' ViT code (Transformer-Explainability), before its min-max scaling. (Their BERT code averages
 * over all N queries too, of which one has a gradient: a factor of 1/N that no scaled map shows.)
 */
import { type AttentionSite, isPoolingHead, lastBlock } from "../canonicalize/attention-site.js";
import { tokenLayout } from "../flow/tokens.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import type { BuiltMethod, MethodContext } from "./method.js";

export const attentionGradCam: BuiltMethod = {
  id: "attention-grad-cam",
  title: "Grad-CAM on attention",
  citation:
    "Selvaraju et al. Grad-CAM: Visual Explanations from Deep Networks. ICCV 2017; on the last block's attention: Chefer, Gur & Wolf. Transformer Interpretability Beyond Attention Visualization. CVPR 2021.",
  needs: ["attention", "gradient"],
  classSpecific: true,
  kind: "tokens",
  signed: false,
  options: [],
  build: ({ b, flow, view, analysis }) => {
    const last = lastBlock(analysis.sites);
    const { weights, gradient } = view(last);
    const special = specialTokens(flow, last);
    const explained = flow((site) => {
      if (site === last) return b.mul(weights, headWeights(b, last, gradient, special));
      return isPoolingHead(site) ? view(site).weights : undefined;
    });
    return { ...explained, relevance: b.relu(explained.relevance) };
  },
};

/** How many class, distillation and register tokens lead the sequence: their columns have no say in the weights. */
function specialTokens(flow: MethodContext["flow"], last: AttentionSite): number {
  const { tokens } = flow((site) => (site === last || isPoolingHead(site) ? site.weights : undefined));
  return tokens ? tokenLayout(tokens).prefix : 0;
}

/** Mean of the gradient over the patch columns, per head and query. */
function headWeights(b: Builder, { axes }: AttentionSite, gradient: Value, special: number): Value {
  const [axis] = axes.key;
  const patches = special > 0 ? b.slice(gradient, axis, special, Number.MAX_SAFE_INTEGER) : gradient;
  return b.reduceMean(patches, [axis]);
}
