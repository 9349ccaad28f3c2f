/** The attention that the read-out pays in the last block, mean over heads. A pooling head behind it weighs what is read. */
import { isPoolingHead, lastBlock } from "../canonicalize/attention-site.js";
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
    const last = lastBlock(analysis.sites);
    return flow((site) => (site === last || isPoolingHead(site) ? view(site).weights : undefined));
  },
};
