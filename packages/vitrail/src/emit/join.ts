/**
 * Products with the same weights become one product with more rows: the gradient and the relevance of a layer both multiply with
 * its transposed weights, and a runtime that packs weights for speed keeps one packed copy for each product.
 */
import type { Node, Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import { sameShape } from "../tensor/shape.js";
import { neededNodes } from "./lower.js";

export function joinProducts(b: Builder, roots: readonly Value[]): void {
  const products = new Map<Value, Node[]>();
  for (const { node } of neededNodes(b, roots)) {
    const [left, weights] = node.inputs;
    if (node.operator !== "MatMul" || !left?.shape || weights?.producer?.operator !== "Transpose") continue;
    if (weights.rank !== 2 || weights.dependent || left.shape.length < 3) continue;
    products.set(weights, [...(products.get(weights) ?? []), node]);
  }
  for (const [weights, [first, ...others]] of products) {
    const alike = others.filter((n) => sameShape(n.inputs[0]!.shape!, first!.inputs[0]!.shape!));
    const together = [first!, ...alike];
    if (together.length > 1 && independent(together)) join(b, together, weights);
  }
}

/** No product needs the result of another. */
function independent(products: readonly Node[]): boolean {
  const own = new Set(products);
  return !ancestors(products.map((n) => n.inputs[0]!)).some((n) => own.has(n));
}

/** The rows of all of them along the first axis; what each of them made is a part of the result. */
function join(b: Builder, products: readonly Node[], weights: Value): void {
  const last = products.at(-1)!;
  b.pass = last.pass;
  b.source = last.source;
  const rows = b.concat(
    products.map((n) => n.inputs[0]!),
    0,
  );
  const count = products.length;
  const split: Node = {
    ...last,
    operator: "Split",
    inputs: [b.matmul(rows, weights)],
    outputs: products.map((n) => n.outputs[0]!),
    attributes: b.opset >= 18 ? { axis: 0, num_outputs: count } : { axis: 0 },
  };
  for (const value of split.outputs) value.producer = split;
}
