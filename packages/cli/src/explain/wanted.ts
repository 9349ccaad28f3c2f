import type { Explainer } from "vitrail/node";
import { problem } from "../problem.js";
import { nearest } from "./near.js";

/** What `-t` and `--contrast` ask for. */
export type Wanted =
  | { kind: "class"; index: number }
  | { kind: "top"; count: number }
  | { kind: "contrast"; plus: number; minus: number };

export interface Classes {
  labels?: readonly string[] | undefined;
  /** How many there are, where the model says so. */
  count?: number | undefined;
}

/** What the flags ask for, against the labels and the number of classes; the predicted class where they ask for nothing. */
export function readWanted(
  flags: Asking,
  { findings, metadata }: Pick<Explainer, "findings" | "metadata">,
  labels: readonly string[] | undefined,
): Wanted[] {
  const dims = findings.outputs.find(({ name }) => name === metadata.output)?.dims ?? [];
  const last = dims.length === 1 ? 1 : dims.at(-1);
  const classes: Classes = { labels, count: typeof last === "number" ? last : undefined };
  const { targets, contrasts } = asked(flags);
  return [
    ...targets.map((text) => parseTarget(text, classes)),
    ...contrasts.map((text) => parseContrast(text, classes)),
  ];
}

interface Asking {
  target?: string[];
  contrast?: string[];
}

/** What the flags name; the predicted class where they name nothing. */
export const asked = ({ target, contrast: contrasts = [] }: Asking) => ({
  targets: target ?? (contrasts.length > 0 ? [] : ["predicted"]),
  contrasts,
});

/** `LABEL|INDEX|predicted|topK`. */
export function parseTarget(text: string, classes: Classes): Wanted {
  const known = classes.labels?.includes(text);
  if (!known && text === "predicted") return { kind: "top", count: 1 };
  const top = /^top[- ]?([1-9]\d*)$/i.exec(text);
  if (!known && top) return { kind: "top", count: Number(top[1]) };
  return { kind: "class", index: parseClass(text, classes) };
}

/** `A:B`: what speaks for A and against B. A label may hold a colon itself, so every split is tried. */
export function parseContrast(text: string, classes: Classes): Wanted {
  const splits = [...text.matchAll(/:/g)].map(({ index }) => [text.slice(0, index), text.slice(index + 1)] as const);
  if (splits.length === 0) {
    throw problem("E080", { at: `--contrast ${text}`, why: "it names one class only", try: "--contrast A:B" });
  }
  let failure: unknown;
  for (const [plus, minus] of splits) {
    try {
      return { kind: "contrast", plus: parseClass(plus, classes), minus: parseClass(minus, classes) };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** A label as it is, then regardless of case, then one of several names separated by commas; or an index. */
export function parseClass(text: string, { labels = [], count = labels.length || undefined }: Classes): number {
  const wanted = fold(text);
  const exact = labels.indexOf(text);
  if (exact >= 0) return exact;
  if (/^\d+$/.test(wanted)) {
    const index = Number(wanted);
    if (count === undefined || index < count) return index;
    const why = `the model has ${count} classes, 0 to ${count - 1}`;
    throw problem("E084", { at: `target ${text}`, why, try: "an index in this range, or a label" });
  }
  const matches = labels.flatMap((label, index) => (namesOf(label).includes(wanted) ? [index] : []));
  if (matches.length === 1) return matches[0]!;
  const at = `target "${text}"`;
  if (matches.length > 1) {
    const list = matches.map((index) => `${index} (${labels[index]})`).join(", ");
    throw problem("E084", { at, why: `several classes have this name: ${list}`, try: "the index" });
  }
  if (labels.length === 0) {
    const why = "the model comes without labels";
    throw problem("E084", { at, why, try: "an index, or --labels FILE (JSON, or one label per line)" });
  }
  const near = nearest(text, labels);
  const few = labels.length <= 12 ? `one of: ${labels.join(", ")}` : "a label or an index; see vitrail inspect";
  const hint = near.length > 0 ? `did you mean ${near.map((label) => `"${label}"`).join(" or ")}?` : few;
  throw problem("E084", { at, why: `none of the ${labels.length} labels is called so`, try: hint });
}

const fold = (text: string): string => text.normalize("NFC").trim().toLowerCase();
const namesOf = (label: string): string[] => [fold(label), ...label.split(",").map(fold)];
