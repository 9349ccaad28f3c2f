/**
 * Which class a name means: a label as it is, regardless of case, or one of several names in it that commas separate; else an index.
 * What could be two classes is refused with both: `index:7` and `label:7` say which is meant.
 */
import { nearest } from "./near.js";
import { failure, problem } from "./problem.js";

/** What is known of the classes of an output. */
export interface Classes {
  readonly labels?: readonly string[] | undefined;
  /** How many there are, where the model says so. */
  readonly count?: number | undefined;
}

/** Labels as a list, or as `id2label` of a config.json. */
export type Labels = readonly string[] | Readonly<Record<string, string>>;

/** In the order of the classes; a class that has none is called by its number. */
export function labelList(labels: Labels): string[] {
  if (Array.isArray(labels)) return labels.map(String);
  const list: string[] = [];
  for (const [index, label] of Object.entries(labels)) list[Number(index)] = String(label);
  return Array.from(list, (label, index) => label ?? `class ${index}`);
}

export interface Fitted {
  /** One for each class; undefined where the list is of other classes. */
  readonly labels: readonly string[] | undefined;
  /** Why the list is not used. */
  readonly why?: string;
}

/** Labels against the number of classes. A single score between two labels is the second one's: it is high where that holds. */
export function fitLabels(labels: readonly string[], count: number | undefined): Fitted {
  if (count === undefined || labels.length === count) return { labels };
  if (count === 1 && labels.length === 2) return { labels: [labels[1]!] };
  const has = count === 1 ? "1 class" : `${count} classes`;
  return { labels: undefined, why: `there are ${labels.length} labels, and the explained output has ${has}` };
}

/** @throws VitrailError E084 */
export function classNamed(text: string, classes: Classes): number {
  const { labels = [], count = labels.length || undefined } = classes;
  const [, how, rest] = labels.includes(text) ? [] : (/^(index|label):(.*)$/s.exec(text) ?? []);
  const name = rest ?? text;
  const named = how === "index" ? [] : indicesOf(name, labels);
  const number = how === "label" || !/^\s*\d+\s*$/.test(name) ? undefined : Number(name);
  const inRange = number !== undefined && (count === undefined || number < count);
  const found = [...new Set([...named, ...(inRange ? [number] : [])])];
  if (found.length === 1) return found[0]!;
  const at = `target "${text}"`;
  if (found.length > 1) {
    const list = found.map((index) => `${index}${labels[index] === undefined ? "" : ` (${labels[index]})`}`);
    const why = `it may be ${list.length === 2 ? "either of" : "any of"} the classes ${list.join(", ")}`;
    throw failure(problem("E084", { at, why, try: found.map((index) => `index:${index}`).join(" or ") }));
  }
  throw failure(problem("E084", { at, ...unknown(name, number, labels, count) }));
}

function indicesOf(name: string, labels: readonly string[]): number[] {
  const all = (is: (label: string) => boolean) => labels.flatMap((label, index) => (is(label) ? [index] : []));
  const exact = all((label) => label === name);
  const wanted = fold(name);
  return exact.length > 0 ? exact : all((label) => [label, ...label.split(",")].some((part) => fold(part) === wanted));
}

function unknown(name: string, number: number | undefined, labels: readonly string[], count: number | undefined) {
  if (number !== undefined)
    return { why: `the model has ${count} classes, 0 to ${count! - 1}`, try: "an index in this range, or a label" };
  if (labels.length === 0) {
    const hint = "an index; or labels: --labels FILE (JSON, or one label per line), createExplainer(model, { labels })";
    return { why: "the model comes without labels", try: hint };
  }
  const near = nearest(name, labels);
  const few = labels.length <= 12 ? `one of: ${labels.join(", ")}` : "a label or an index; see vitrail inspect";
  const hint = near.length > 0 ? `did you mean ${near.map((label) => `"${label}"`).join(" or ")}?` : few;
  return { why: `none of the ${labels.length} labels is called so`, try: hint };
}

const fold = (text: string): string => text.normalize("NFC").trim().toLowerCase();
