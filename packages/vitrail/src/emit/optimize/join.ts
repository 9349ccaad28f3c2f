/**
 * Products with the same weights become one product with more rows: the gradient and the relevance of a layer both multiply with
 * its transposed weights, and a runtime that packs weights for speed keeps one packed copy for each product.
 */
import { typed } from "../../ir/attribute.js";
import { type Node, numberOf, type Value } from "../../ir/graph.js";
import { ancestors } from "../../ir/traverse.js";
import type { Builder } from "../../ops/builder.js";
import { sameShape } from "../../tensor/shape.js";
import { neededNodes } from "../lower.js";

export function joinProducts(b: Builder, roots: readonly Value[]): void {
  const products = new Map<Value, Node[]>();
  const readers = new Map<Value, Node[]>();
  for (const { node, inputs } of neededNodes(b, roots)) {
    for (const v of inputs) if (v) readers.set(v, [...(readers.get(v) ?? []), node]);
    const [left, weights] = node.inputs;
    if (node.operator !== "MatMul" || !left?.shape || weights?.producer?.operator !== "Transpose") continue;
    if (weights.rank !== 2 || weights.dependent || left.shape.length < 3) continue;
    products.set(weights, [...(products.get(weights) ?? []), node]);
  }
  for (const [weights, [first, ...others]] of products) {
    const alike = others.filter((n) => sameShape(n.inputs[0]!.shape!, first!.inputs[0]!.shape!));
    const together = [first!, ...alike];
    if (together.length > 1 && independent(together)) join(b, together, weights, readers);
  }
}

/** No product needs the result of another. */
function independent(products: readonly Node[]): boolean {
  const own = new Set(products);
  return !ancestors(products.map((n) => n.inputs[0]!)).some((n) => own.has(n));
}

/** The rows of all of them along the first axis; what each of them made is a part of the result. */
function join(
  b: Builder,
  products: readonly Node[],
  weights: Value,
  readers: ReadonlyMap<Value, readonly Node[]>,
): void {
  const last = products.at(-1)!;
  const product = b.in(last.pass, last.source, () => {
    const rows = products.map((n) => scaledRows(b, n, readers.get(n.outputs[0]!) ?? []));
    return b.matmul(b.concat(rows, 0), weights);
  });
  const count = products.length;
  const split: Node = {
    ...last,
    operator: "Split",
    inputs: [product],
    outputs: products.map((n) => n.outputs[0]!),
    attributes: typed(b.opset >= 18 ? { axis: 0, num_outputs: count } : { axis: 0 }),
  };
  for (const value of split.outputs) value.producer = split;
}

/**
 * The rows of a product, times the constant that its result is multiplied with where that is wider: a runtime takes such a constant
 * into a product, but not into a part of one.
 */
function scaledRows(b: Builder, { inputs: [x], outputs: [y] }: Node, [reader, ...others]: readonly Node[]): Value {
  const factor = reader?.operator === "Mul" ? numberOf(reader.inputs.find((v) => v !== y)) : undefined;
  const [from, to] = [x!.shape!.at(-1), y!.shape?.at(-1)];
  const widens = typeof from === "number" && typeof to === "number" && from < to;
  if (factor === undefined || others.length > 0 || !widens || reader!.outputs[0]!.rank !== y!.rank) return x!;
  reader!.outputs[0]!.writtenAs = y;
  return b.mul(x!, factor);
}
