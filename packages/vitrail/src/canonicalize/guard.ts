/**
 * Rows of scores without any allowed key give NaN, which exporters repair with Where(IsNaN(p), 0, p). The repaired weights
 * are the softmax as far as everything downstream and every cotangent is concerned (0 · NaN must not arise), so in the
 * canonical graph they are its output.
 */
import { type Node, numberOf, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";

export function absorbGuards(b: Builder): void {
  for (const node of b.nodes) {
    const [condition, zero, weights] = node.inputs;
    if (node.operator !== "Where" || condition?.producer?.operator !== "IsNaN") continue;
    if (condition.producer.inputs[0] !== weights || numberOf(zero) !== 0) continue;
    const softmax = weights?.producer;
    if (softmax?.operator === "Softmax") produceBy(node.outputs[0]!, softmax);
  }
}

function produceBy(value: Value, like: Node): void {
  value.producer = { ...like, outputs: [value], order: value.producer!.order };
}
