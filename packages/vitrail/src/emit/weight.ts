/** Matrices that products multiply with: as they stand in the file, or what a runtime derives from them once, when it loads it. */
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { product } from "../tensor/dim.js";
import { neededNodes } from "./lower.js";

const DERIVES = new Set(["Abs", "Transpose", "Mul", "Sub", "ReduceMean"]);

export const isWeight = (v: Value): boolean => v.rank === 2 && !v.dependent && (!v.producer || isDerived(v));

const isDerived = ({ producer }: Value): boolean => DERIVES.has(producer!.operator) && isWeight(producer!.inputs[0]!);

const inFile = (v: Value): Value => (v.producer ? inFile(v.producer.inputs[0]!) : v);

/** Numbers in all matrices of the file that what is added multiplies with. */
export function countWeights(b: Builder, roots: readonly Value[]): number {
  const products = neededNodes(b, roots).filter(({ node }) => node.operator === "MatMul");
  const weights = products.flatMap(({ node: { inputs } }) =>
    inputs[1] && isWeight(inputs[1]) ? [inFile(inputs[1])] : [],
  );
  const counts = [...new Set(weights)].map((v) => product(v.shape!));
  return counts.reduce<number>((sum, n) => sum + (typeof n === "number" ? n : 0), 0);
}
