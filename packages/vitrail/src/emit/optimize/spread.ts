/**
 * x W = [x 0] [W; 0]: products whose rows begin a multiple of 4 KiB apart get a few columns of zeros more. Such rows fall into the
 * same few sets of a processor's caches and push each other out: a product over 3072 columns of float32 reaches two thirds to nine
 * tenths of the speed of one over 3088.
 */
import type { Node, Value } from "../../ir/graph.js";
import { isWeight } from "../../ir/weight.js";
import type { Builder } from "../../ops/builder.js";
import type { Shape } from "../../tensor/shape.js";
import { neededNodes } from "../lower.js";

const APART = 4096;
/** A cache line of float32. */
const ZEROS = 16;

export function spreadRows(b: Builder, roots: readonly Value[]): void {
  for (const { node } of neededNodes(b, roots)) {
    const [x, weights] = node.inputs;
    const rows = rowsOf(node);
    if (!rows || !b.extents.canReshapeTo(rows)) continue;
    node.outputs[0]!.writtenAs = b.in(node.pass, node.source, () => {
      const wide = b.concat([x!, b.zeros([...rows, ZEROS])], rows.length);
      return b.matmul(wide, taller(b, weights!));
    });
  }
}

/** The axes of x before its columns, where it has many rows and they lie unluckily. */
function rowsOf({ operator, inputs: [x, weights] }: Node): Shape | undefined {
  if (operator !== "MatMul" || !x?.shape || !weights || !isWeight(weights)) return undefined;
  const [columns] = weights.shape!;
  const bytes = x.type === "float64" ? 8 : 4;
  const unlucky = typeof columns === "number" && (columns * bytes) % APART === 0;
  const rows = x.shape.slice(0, -1);
  return unlucky && rows.slice(1).some((d) => d !== 1) ? rows : undefined;
}

/** W with rows of zeros; under a transposition, so that a product can go on reading what is transposed. */
function taller(b: Builder, weights: Value): Value {
  const transposed = weights.producer?.operator === "Transpose" ? weights.producer.inputs[0]! : undefined;
  return transposed ? b.transpose(b.pad(transposed, 1, 0, ZEROS), [1, 0]) : b.pad(weights, 0, 0, ZEROS);
}
