/**
 * Mean over heads of relu(R_A) at the row that the head reads in the last block. Voita et al. 2019, as compared with in Chefer
 * et al. 2021, with the authors' baseline rules (layers_lrp.py), whose additions take no sums: `compat` changes nothing.
 */
import { isPoolingHead, lastBlock } from "../canonicalize/attention-site.js";
import { lrp2021 } from "../relevance/composites.js";
import { compat } from "./compat.js";
import type { BuiltMethod } from "./method.js";
import { ridge, stabilizer } from "./stabilizer.js";

export const partialLrp: BuiltMethod = {
  id: "partial-lrp",
  title: "Partial LRP",
  citation:
    "Voita et al. Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned. ACL 2019.",
  needs: ["attention", "relevance"],
  classSpecific: true,
  kind: "tokens",
  signed: false,
  options: [stabilizer, ridge, compat],
  composite: () => lrp2021,
  build: ({ b, flow, view, analysis }) => {
    const last = lastBlock(analysis.sites);
    return flow((site) => {
      if (site === last) return b.relu(view(site).relevance);
      return isPoolingHead(site) ? view(site).weights : undefined;
    });
  },
};
