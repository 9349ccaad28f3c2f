/**
 * Parameters that were an attribute up to some opset and are an input from then on (ONNX 13: axes of Squeeze, Unsqueeze,
 * ReduceSum, sizes of Split; ONNX 18: axes of the other reductions). The canonical graph has them as the attribute, whatever the
 * file writes; only what the data decide stays an input.
 */
import { ints } from "../ir/attribute.js";
import { numbersOf } from "../ir/graph.js";
import type { Operator } from "./operator.js";

/** Both directions for the parameter `name`, which became the second input in opset `since`. */
export const inputSince = (name: string, since: number): Required<Pick<Operator, "raise" | "lower">> => ({
  raise: ({ inputs, attributes }) => {
    const [x, given] = inputs;
    const known = numbersOf(given);
    return known && { inputs: [x], attributes: { ...attributes, [name]: { kind: "ints", value: known } } };
  },
  lower: (node, opset, b) => {
    const known = ints(node, name);
    if (opset < since || !known) return { inputs: node.inputs, attributes: node.attributes };
    const { [name]: _, ...attributes } = node.attributes;
    return { inputs: [node.inputs[0], b.ints(known)], attributes };
  },
});
