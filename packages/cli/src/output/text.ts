import { type Scale, scaleOf, summarize, type TextView, toUnits, toView, type Unit } from "@vitrail/text";
import { subjectOf, titleOf } from "../explain/title.js";
import { type Answer, classIn } from "../explain/work.js";
import type { TextSample } from "../input/text-sample.js";

/** The relevance of a text's tokens, or of its words. */
export function unitsOf({ sample, parts }: Answer, unit: "token" | "word"): Unit[] {
  const { encoding, valuesOf } = sample as TextSample;
  return toUnits(encoding.texts, encoding.whole.tokens, valuesOf(parts), { unit });
}

/** One scale for all targets of a text; two texts that are compared have one each, for they are two explanations. */
export const scaleFor = ({ sample }: Answer, answers: readonly Answer[]): Scale =>
  scaleOf(...answers.filter((each) => each.sample === sample).map((answer) => unitsOf(answer, "word")));

export function viewOf(answer: Answer, names: { model: string; method: string }, scale?: Scale): TextView {
  const { chosen, scores } = answer;
  const { encoding } = answer.sample as TextSample;
  const probability = scores[classIn(chosen) ?? -1]?.probability;
  const target = { label: titleOf(answer), ...(probability !== undefined && { probability }) };
  const notes = [...encoding.warnings, ...(chosen.kind === "token" && chosen.note ? [chosen.note] : [])];
  const units = unitsOf(answer, "word");
  const view = toView(encoding.texts, units, { ...names, target, notes, ...(scale && { scale }) });
  return { ...view, summary: summarize(units, "word", subjectOf(answer)) };
}
