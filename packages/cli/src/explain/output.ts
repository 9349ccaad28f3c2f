/**
 * What the explained output of a model says: which of its axes are classes, what they are called, and what its numbers mean. Every verb
 * reads an output through this.
 */
import {
  type AxisName,
  axesOf,
  classCount,
  classPosition,
  type Findings,
  fitLabels,
  type Index,
  type Reading,
  readingOf,
  scoresFrom,
  type Tensor,
  tensor,
  toFloat32,
} from "vitrail/node";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { type Scored, score } from "./prediction.js";

export interface OutputView {
  readonly name: string;
  readonly reading: Reading;
  /** Labels that fit the classes, one for each. */
  readonly labels: readonly string[] | undefined;
  /** How many classes there are, where the model says so. */
  readonly count: number | undefined;
  /** What each number of a target is. */
  readonly axes: readonly AxisName[];
  /** Which of them is the class; undefined for a map of values. */
  readonly classAt: number | undefined;
  /** What a person should know of the labels. */
  readonly notes: readonly string[];
}

type Known = Pick<Findings, "outputs" | "metadata">;

/** @throws VitrailError E044 for a list of labels that was named and does not fit */
export function outputView(findings: Known, files: Pick<ModelFiles, "labels" | "labelsFile" | "config">): OutputView {
  const { metadata, outputs } = findings;
  const name = metadata.output;
  const rank = outputs.find((output) => output.name === name)?.dims.length ?? 2;
  const axes = axesOf(metadata, rank);
  const classAt = classPosition(metadata, rank);
  const count = axes.includes("class") ? classCount(findings as Findings) : undefined;
  const fitting = axes.includes("class") ? fittingLabels(files, count, name) : { notes: [] };
  const beside = { problemType: files.config?.problem_type, labels: fitting.of, classes: count };
  const valued = classAt === undefined ? { kind: "value" as const } : {};
  const reading = { ...readingOf(metadata, beside), ...(metadata.activation ? {} : valued) };
  return { name, reading, labels: fitting.labels, count, axes, classAt, notes: fitting.notes };
}

interface Fitting {
  labels?: readonly string[];
  /** How many labels there were. */
  of?: number;
  notes: string[];
}

/** Labels that were named must fit; those that lie beside a model of several heads may be another head's. */
function fittingLabels(
  { labels, labelsFile }: Pick<ModelFiles, "labels" | "labelsFile">,
  count: number | undefined,
  output: string,
): Fitting {
  if (!labels) return { notes: [] };
  const { labels: own, why } = fitLabels(labels, count);
  // transformers writes these where nobody named the classes.
  const placeholders = labels.every((label, index) => label === `LABEL_${index}`);
  if (placeholders && labels.length !== count && count !== undefined) return { notes: [] };
  if (own) return { labels: own, of: labels.length, notes: [] };
  if (labelsFile === undefined)
    return {
      notes: [`the labels beside the model are not those of "${output}" (${why}): classes are called by their numbers`],
    };
  const hint = "a list with one label per class, or another --output";
  throw problem("E044", { at: `--labels ${labelsFile}`, why: why!, try: hint });
}

/** All that is known of the classes, for reading a target. */
export const classesOf = ({ labels, count }: OutputView) => ({ labels, count });

/** Scores of the classes, named and with their shares. */
export const scored = (
  { reading, labels }: Pick<OutputView, "reading" | "labels">,
  scores: ArrayLike<number>,
): Scored[] => score(scores, reading, labels);

/** The output as scores, whatever the file gives. */
export const asScores = ({ reading }: Pick<OutputView, "reading">, output: Tensor): Tensor =>
  tensor(scoresFrom(toFloat32(output), reading), output.dims);

/** The number of the class in a target; 0 where there is but a value. */
export const classOfIndex = ({ classAt }: Pick<OutputView, "classAt">, index: Index): number =>
  classAt === undefined ? 0 : index[classAt]!;

/** Where on the output a target is, in words: "row 3, column 7"; empty where it is the whole input's. */
export const placeOfIndex = ({ axes, classAt }: Pick<OutputView, "axes" | "classAt">, index: Index): string =>
  placesOf({ axes, classAt }, index)
    .map(([axis, at]) => `${axis} ${at}`)
    .join(", ");

export function placesOf({ axes, classAt }: Pick<OutputView, "axes" | "classAt">, index: Index): [AxisName, number][] {
  return index.flatMap((at, i): [AxisName, number][] => (i === classAt ? [] : [[axes[i] ?? "position", at]]));
}
