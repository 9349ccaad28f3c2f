/**
 * Convolutions that onnxruntime's layout optimiser (ORT_ENABLE_ALL) rewrote for the processor that it ran on: channels and weights
 * lie in blocks whose size the file does not name. What the forward pass computes is known, so that token methods work where such
 * a convolution only cuts the patches; nothing can be pulled back through it.
 * Source: onnxruntime, docs/execution-providers and core/optimizer/nchwc_transformer: operators of the domain com.microsoft.nchwc.
 */
import { flag, int } from "../ir/attribute.js";
import type { Node } from "../ir/graph.js";
import { input } from "./infer.js";
import { defineOp, type GradientContext, type Inferred, refuseGradient } from "./operator.js";
import { Conv } from "./product.js";

const refuse = ({ node }: GradientContext): never =>
  refuseGradient(
    node,
    "onnxruntime saved it for one processor, with weights in an order that the file does not name",
    "save the model with level extended instead of all (ORT_ENABLE_EXTENDED), or take the file before that",
  );

export const BlockedConv = defineOp("com.microsoft.nchwc::Conv", {
  role: "linear",
  infer: Conv.infer,
  gradient: refuse,
});

/** Channels in blocks: how many there are with the padding, only the processor knows. */
export const ReorderInput = defineOp("com.microsoft.nchwc::ReorderInput", {
  role: "movement",
  infer: (c): Inferred => {
    const { type, shape } = input(c, 0);
    if (!shape) return { type, shape };
    const [batch, ...rest] = shape;
    const spatial = isChannelsLast(c.node) ? rest.slice(0, -1) : rest.slice(1);
    return { type, shape: [batch!, c.fresh("blocked"), ...spatial] };
  },
  gradient: refuse,
});

/** Back to plain channels, without the padding. */
export const ReorderOutput = defineOp("com.microsoft.nchwc::ReorderOutput", {
  role: "movement",
  infer: (c): Inferred => {
    const { type, shape } = input(c, 0);
    const channels = int(c.node, "channels");
    if (!shape || channels === undefined) return { type, shape: undefined };
    const [batch, , ...spatial] = shape;
    return { type, shape: isChannelsLast(c.node) ? [batch!, ...spatial, channels] : [batch!, channels, ...spatial] };
  },
  gradient: refuse,
});

const isChannelsLast = (node: Pick<Node, "attributes">): boolean => flag(node, "channels_last");
