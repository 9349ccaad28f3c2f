/** How much a patch multiplies with. */
import type { Value } from "../ir/graph.js";
import { inFile, isWeight } from "../ir/weight.js";
import type { Builder } from "../ops/builder.js";
import { product } from "../tensor/dim.js";
import { neededNodes } from "./lower.js";

/** Numbers in all matrices of the file that what is added multiplies with. */
export function countWeights(b: Builder, roots: readonly Value[]): number {
  const products = neededNodes(b, roots).filter(({ node }) => node.operator === "MatMul");
  const matrices = products.flatMap(({ node: { inputs } }) =>
    inputs[1] && isWeight(inputs[1]) ? [inFile(inputs[1])] : [],
  );
  const counts = [...new Set(matrices)].map((v) => product(v.shape!));
  return counts.reduce<number>((sum, n) => sum + (typeof n === "number" ? n : 0), 0);
}
