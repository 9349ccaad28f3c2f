import { findMethod } from "../method.js";
import { nameOf, type Scored } from "./prediction.js";
import type { Sample } from "./sample.js";
import type { Answer, Places } from "./work.js";

/** What a person calls the target. */
export function titleOf({ chosen, scores, words }: Pick<Answer, "chosen" | "scores" | "words">): string {
  if (chosen.kind === "similar") return similarTitle(chosen.to);
  if (chosen.kind === "token") return chosen.title;
  const where = placeText(chosen.places);
  if (chosen.kind === "contrast")
    return `${nameOf(scores[chosen.plus]!)} rather than ${nameOf(scores[chosen.minus]!)}${where}`;
  // A prompt is what it is, also where it is the only one.
  const [only] = scores;
  const value = scores.length === 1 && !words && (only!.probability === undefined || !only!.label);
  const name = value ? `a higher ${scoreName(only!)}` : nameOf(scores[chosen.class]!);
  return `${name}${where}`;
}

/** " at row 3, column 7" */
export const placeText = (places: Places): string =>
  places.length === 0 ? "" : ` at ${places.map(([axis, at]) => `${axis} ${at}`).join(", ")}`;

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
    const place = chosen.places.map(([, at]) => `-${at}`).join("");
    return { index: `${chosen.plus}-vs-${chosen.minus}${place}`, label };
  }
  return { index: chosen.index.join("-"), label: scores[chosen.class]!.label ?? null };
}
