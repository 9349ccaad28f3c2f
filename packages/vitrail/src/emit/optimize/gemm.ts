/**
 * x · Wᵀ as a Gemm that reads W as it stands. A runtime that folds constants makes a transposed copy of every weight at load,
 * whose memory an allocator keeps; one that does not transposes in every run.
 */
import type { Node, Value } from "../../ir/graph.js";
import type { Builder } from "../../ops/builder.js";
import { product } from "../../tensor/dim.js";
import { neededNodes } from "../lower.js";

export function readTransposed(b: Builder, roots: readonly Value[]): void {
  for (const { node } of neededNodes(b, roots)) {
    const [result] = node.outputs;
    const weights = transposed(node);
    const rows = node.inputs[0]?.shape;
    if (!weights || !rows || rows.length < 2 || !result?.shape || !b.extents.canReshapeTo(result.shape)) continue;
    const { shape } = result;
    result.writtenAs = b.in(node.pass, node.source, () => {
      const flat = b.reshape(node.inputs[0]!, [product(rows.slice(0, -1)), rows.at(-1)!]);
      return b.reshape(b.emit("Gemm", [flat, weights], { transB: 1 }), shape);
    });
  }
}

/** W where a node computes x · Wᵀ. */
function transposed({ operator, inputs: [, right] }: Node): Value | undefined {
  const isWeight = operator === "MatMul" && right?.rank === 2 && !right.dependent && right.name === undefined;
  return isWeight && right.producer?.operator === "Transpose" ? right.producer.inputs[0] : undefined;
}
