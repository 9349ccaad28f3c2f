/** What speaks for one target and against another: the difference of their two maps. */
import { Explanation, tensor } from "vitrail/node";
import { rowOf } from "./logits.js";
import type { Part } from "./work.js";

/**
 * map(plus) - map(minus), element by element, as a run of its own.
 *
 * For methods that are linear in the start this is the map of the start +1, -1. For the rest that start is no question: it sums to
 * zero, so does the relevance at every cut, and the authors' rule for additions scales by exactly this sum (on a trained
 * classifier what is left of the map is a millionth of either class's: rounding).
 */
export function contrastOf(plus: Part, minus: Part): Part {
  const { explanation, row } = plus;
  const { metadata, logits, relevance, inputDims } = explanation;
  const less = minus.explanation.toTokens(minus.row);
  const difference = explanation.toTokens(row).map((value, index) => value - less[index]!);
  const outputs = { [metadata.output]: tensor(rowOf(logits, row), [1, ...logits.dims.slice(1)]) };
  const values = tensor(difference, [1, ...relevance.dims.slice(1)]);
  return { explanation: new Explanation(outputs, values, metadata, undefined, [1, ...inputDims.slice(1)]), row: 0 };
}
