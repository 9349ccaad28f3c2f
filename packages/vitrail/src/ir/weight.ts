/** Matrices that products multiply with: as they stand in the file, or what a runtime derives from them once, when it loads it. */
import type { Value } from "./graph.js";

const DERIVES = new Set(["Abs", "Transpose", "Slice", "Mul", "Sub", "ReduceMean"]);

export const isWeight = (v: Value): boolean => v.rank === 2 && !v.dependent && (!v.producer || isDerived(v));

const isDerived = ({ producer }: Value): boolean => DERIVES.has(producer!.operator) && isWeight(producer!.inputs[0]!);

/** The matrix of the file that one was derived from. */
export const inFile = (weight: Value): Value => (weight.producer ? inFile(weight.producer.inputs[0]!) : weight);
