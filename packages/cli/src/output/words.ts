import { type Scale, scaleOf, type TextView, toUnits, toView, type Unit } from "@vitrail/text";
import type { Answer } from "../explain/work.js";
import type { PromptWords } from "../pair/work.js";

/** The words of all prompts that the answers are about, each once. */
export const promptsOf = (answers: readonly Answer[]): PromptWords[] => [
  ...new Map(answers.flatMap(({ words = [] }) => words).map((each) => [each.prompt, each])).values(),
];

export function promptUnits({ encoding, values }: PromptWords, unit: "token" | "word"): Unit[] {
  return toUnits(encoding.texts, encoding.whole.tokens, values, { unit });
}

/** The prompts as texts to render, on one scale. */
export function promptViews(answers: readonly Answer[]): TextView[] {
  const prompts = promptsOf(answers);
  const units = prompts.map((each) => promptUnits(each, "word"));
  const scale: Scale = scaleOf(...units);
  const { scores } = answers[0]!;
  return prompts.map(({ prompt, encoding, warnings }, index) => {
    const probability = scores.find(({ label }) => label === prompt)?.probability;
    const target = { label: prompt, ...(probability !== undefined && { probability }) };
    return toView(encoding.texts, units[index]!, { target, notes: warnings, scale });
  });
}
