/** Which class of the model a label of the data means, and which cases follow from a sample. */
import type { BrokenRow } from "@vitrail/evaluation";
import type { Classes } from "vitrail/node";
import { parseClass } from "../explain/wanted.js";
import { problem } from "../problem.js";
import { type Dataset, labelsOf } from "./data.js";

/** One question, named before its sample is read. */
export interface CaseRef {
  readonly id: string;
  readonly sample: number;
  /** The class to explain; the model's own answer where the data name none. */
  readonly target: number | "predicted";
}

export interface Cases {
  readonly refs: readonly CaseRef[];
  /** Labels that are no class of the model, one row per sample. */
  readonly broken: readonly BrokenRow[];
  /** Whether any label of the data is a class of the model. */
  readonly labelled: boolean;
  classOf(label: string): number | undefined;
}

export interface CaseChoice {
  readonly target: "labels" | "predicted";
  /** Only cases of these classes, as people write them. */
  readonly only?: readonly string[];
}

/**
 * One case per class that a sample is about: the classes of its regions, else its labels; none where it has neither. Where no label
 * of the data is a class of the model ("object"), the model's answer is explained and every region is its truth.
 */
export function casesOf(data: Dataset, classes: Classes, { target, only }: CaseChoice): Cases {
  const classOf = reader(data.labels, classes);
  const labelled = [...data.labels].some((label) => classOf(label) !== undefined);
  const wanted = only && new Set(only.map((text) => parseClass(text, classes)));
  const broken: BrokenRow[] = [];
  const refs = data.samples.flatMap((own, sample): CaseRef[] => {
    const { id } = own;
    const labels = labelsOf(own);
    if (target === "predicted" || !labelled) {
      return wanted ? [] : [{ id: `${id}#predicted`, sample, target: "predicted" }];
    }
    const unknown = labels.filter((label) => classOf(label) === undefined);
    if (unknown.length > 0) {
      broken.push({
        file: id,
        reason: `no class of the model is called ${unknown.map((one) => `"${one}"`).join(", ")}`,
      });
    }
    const known = labels.filter((label) => classOf(label) !== undefined);
    return known.flatMap((label) => {
      const index = classOf(label)!;
      return wanted && !wanted.has(index) ? [] : [{ id: `${id}#${label}`, sample, target: index }];
    });
  });
  if (refs.length === 0) {
    const why = wanted ? "no sample is about these classes" : "it holds no sample";
    throw problem("E097", { at: `--data ${data.name}`, why, try: "other data, or other flags" });
  }
  return { refs, broken, labelled, classOf };
}

const synset = /^n\d{8}$/;

/** Labels as the model calls them; ImageNet's synsets by their order where the data hold all of the model's classes. */
function reader(labels: ReadonlySet<string>, classes: Classes): (label: string) => number | undefined {
  const all = [...labels].sort();
  const ordered = all.length === classes.count && all.every((label) => synset.test(label));
  const found = new Map(all.map((label, index) => [label, find(label, classes) ?? (ordered ? index : undefined)]));
  return (label) => found.get(label) ?? (found.has(label) ? undefined : find(label, classes));
}

function find(label: string, classes: Classes): number | undefined {
  try {
    return parseClass(label, classes);
  } catch {
    return undefined;
  }
}
