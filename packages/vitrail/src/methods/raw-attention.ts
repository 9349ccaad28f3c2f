/** The attention that the read-out pays in the last block, mean over heads. */
import type { BuiltMethod } from "./method.js";

export const rawAttention: BuiltMethod = {
  id: "raw-attention",
  title: "Raw attention of the last block",
  citation: "Vaswani et al. Attention Is All You Need. NeurIPS 2017 (the weights themselves).",
  needs: ["attention"],
  classSpecific: false,
  kind: "tokens",
  signed: false,
  options: [],
  build: ({ flow, view, analysis }) => {
    const last = analysis.sites[analysis.sites.length - 1];
    return flow((site) => (site === last ? view(site).weights : undefined));
  },
};
