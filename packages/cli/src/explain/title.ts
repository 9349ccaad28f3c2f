import { findMethod } from "../method.js";
import { nameOf, type Scored } from "./prediction.js";
import type { Sample } from "./sample.js";
import type { Answer } from "./work.js";

/** What a person calls the target. */
export function titleOf({ chosen, scores, words }: Pick<Answer, "chosen" | "scores" | "words">): string {
  if (chosen.kind === "similar") return similarTitle(chosen.to);
  if (chosen.kind === "token") return chosen.title;
  if (chosen.kind === "contrast") return `${nameOf(scores[chosen.plus]!)} rather than ${nameOf(scores[chosen.minus]!)}`;
  // A prompt is what it is, also where it is the only one.
  const name =
    scores.length === 1 && !words ? `a higher ${scoreName(scores[0]!)}` : nameOf(scores[chosen.index.at(-1)!]!);
  return chosen.index.length === 1 ? name : `${name} at ${chosen.index.slice(0, -1).join(", ")}`;
}

/** The one number of a regression model. */
export const scoreName = ({ label }: Scored): string => (label && label !== "LABEL_0" ? label : "score");

const similarTitle = ({ kind, name }: Sample): string => `similarity to ${kind === "text" ? `"${name}"` : name}`;

/** What the map is about; a method that is not class-specific gives one map for all classes. */
export const subjectOf = (answer: Answer): string =>
  findMethod(answer.explanation.metadata.method).classSpecific ? titleOf(answer) : "any class";

/** The target's part of a file name. */
export function fileTarget({ chosen, scores }: Answer): { index: string; label: string | null } {
  if (chosen.kind === "similar") return { index: "similar-to", label: chosen.to.stem };
  if (chosen.kind === "token") {
    const { token, index, minus, title } = chosen;
    return { index: [token, index, ...(minus === undefined ? [] : ["vs", minus])].join("-"), label: title };
  }
  if (chosen.kind === "contrast") {
    const label = `${nameOf(scores[chosen.plus]!)}-rather-than-${nameOf(scores[chosen.minus]!)}`;
    return { index: `${chosen.plus}-vs-${chosen.minus}`, label };
  }
  return { index: chosen.index.join("-"), label: scores[chosen.index.at(-1)!]!.label ?? null };
}
