import {
  type Scale,
  scaleOf,
  summarize,
  type TextView,
  toUnits,
  toView,
  type Unit,
  type UnitOptions,
} from "@vitrail/text";
import { subjectOf, titleOf } from "../explain/title.js";
import { type Answer, classIn } from "../explain/work.js";
import type { TextSample } from "../input/text-sample.js";

/** The relevance of a text's tokens, or of the units in which it is shown. */
export function unitsOf({ sample, parts }: Answer, options?: UnitOptions): Unit[] {
  const { encoding, valuesOf, shown } = sample as TextSample;
  return toUnits(encoding.texts, encoding.whole.tokens, valuesOf(parts), options ?? shown);
}

/** One scale for all targets of a text; two texts that are compared have one each, for they are two explanations. */
export const scaleFor = ({ sample }: Answer, answers: readonly Answer[]): Scale =>
  scaleOf(...answers.filter((each) => each.sample === sample).map((answer) => unitsOf(answer)));

const similarNote = ({ similarity, vector }: Extract<Answer["chosen"], { kind: "similar" }>): string =>
  `The similarity is ${similarity.toFixed(2)} (cosine of two vectors: ${vector}). Each text has a scale of its own.`;

export function viewOf(answer: Answer, names: { model: string; method: string }, scale?: Scale): TextView {
  const { chosen, scores } = answer;
  const { encoding, shown } = answer.sample as TextSample;
  const probability = scores[classIn(chosen) ?? -1]?.probability;
  const target = { label: titleOf(answer), ...(probability !== undefined && { probability }) };
  const notes = [
    ...encoding.warnings,
    ...(chosen.kind === "token" && chosen.note ? [chosen.note] : []),
    ...(chosen.kind === "similar" ? [similarNote(chosen)] : []),
  ];
  const units = unitsOf(answer);
  const view = toView(encoding.texts, units, { ...shown, ...names, target, notes, ...(scale && { scale }) });
  return { ...view, summary: summarize(units, view.unit, subjectOf(answer)) };
}
