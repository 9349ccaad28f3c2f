/**
 * What the axes of the explained output mean. Most end in classes; the scores of question answering ([batch, tokens], one
 * per token for the start and one for the end of the answer) have none: their last axis is the tokens themselves.
 */
import { dataInputs, type Value } from "../ir/graph.js";
import type { Shape } from "../tensor/shape.js";
import { atom, inputLayout, type Layout } from "./layout.js";

/** Products with weights: rows stay what they are, columns are new features. */
const PRODUCTS = new Set(["MatMul", "Gemm", "Einsum", "Conv"]);

/** The axis that holds classes: channels of a picture-shaped output, else the last one; undefined where there is none. */
export function classAxis(output: Value): number | undefined {
  const rank = output.rank!;
  if (rank === 1) return undefined;
  if (rank === 4) return 1;
  return rank === 2 && lastAxisIsTokens(output) ? undefined : rank - 1;
}

/** The layout of the explained output: samples, then positions and classes. */
export const outputLayout = (output: Value): Layout => layoutOfShape(output.shape!, classAxis(output));

export const layoutOfShape = (shape: Shape, classes: number | undefined): Layout =>
  shape.map((d, axis) => [atom(d, axis === 0 ? "batch" : axis === classes ? "channel" : "token")]);

/** Whether the last axis was a row of the product with weights that made the output, and not its columns. */
function lastAxisIsTokens(output: Value): boolean {
  let layout = layoutOfShape(output.shape!, undefined);
  const [last] = layout[1]!;
  for (let value = output; ; ) {
    const node = value.producer;
    const inputs = node ? dataInputs(node) : [];
    if (!node || inputs.length !== 1) return false;
    if (PRODUCTS.has(node.operator)) return last !== undefined && !layout.at(-1)!.includes(last) && layout.length > 2;
    const next = inputLayout(node, node.inputs.indexOf(inputs[0]!), layout, false);
    if (!next?.some((axis) => axis.includes(last!))) return false;
    [value, layout] = [inputs[0]!, next];
  }
}
