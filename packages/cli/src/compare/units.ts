/**
 * Maps of different methods in the same units, without which they cannot be ranked against each other.
 *
 *   pictures   patches: a pixel's relevance is added up over the patch that it lies in (pixels where no method speaks of patches);
 *              special tokens (class, distillation, registers) are no part of the picture
 *   texts      tokens, without those that the tokenizer adds; input methods give one value per token anyway
 *   tensors    whatever the method gives: maps of different lengths are not compared
 */
import { sumCells } from "@vitrail/picture";
import type { Grid } from "vitrail/node";
import type { Answer } from "../explain/work.js";
import { isPicture } from "../input/picture-sample.js";
import { isText } from "../input/text-sample.js";
import { gridOf } from "../output/picture.js";

export type UnitName = "patches" | "pixels" | "tokens" | "values";

/** Relevance in common units; `grid` where these lie on a picture. */
export interface Common {
  readonly unit: UnitName;
  readonly values: ArrayLike<number>;
  readonly grid?: Pick<Grid, "rows" | "columns" | "values" | "region">;
}

/** One map per answer, all in the units of the coarsest. Answers are about one input and one target. */
export function inCommonUnits(answers: readonly Answer[]): Common[] {
  const [first] = answers;
  if (!first) return [];
  if (isText(first.sample)) return answers.map(tokensOf);
  const grids = answers.map((answer) => (isPicture(answer.sample) ? gridOf(answer) : undefined));
  if (grids.every((grid) => grid !== undefined)) {
    const patches = answers.some(({ explanation }) => explanation.metadata.relevance.kind === "tokens");
    return coarsest(grids).map((grid) => ({ unit: patches ? "patches" : "pixels", values: grid.values, grid }));
  }
  return answers.map(({ explanation, row }) => ({ unit: "values", values: explanation.toTokens(row) }));
}

function coarsest(grids: readonly Grid[]): NonNullable<Common["grid"]>[] {
  const [{ rows, columns, region }] = [...grids].sort((a, b) => a.rows * a.columns - b.rows * b.columns) as [Grid];
  return grids.map((grid) => {
    if (grid.rows === rows && grid.columns === columns) return grid;
    const values = sumCells(grid, rows, columns, region).values as Float32Array;
    return { rows, columns, values, ...(region && { region }) };
  });
}

function tokensOf(answer: Answer): Common {
  if (!isText(answer.sample)) throw new TypeError("tokens of what is no text");
  const { encoding, valuesOf } = answer.sample;
  const values = valuesOf(answer.parts);
  return { unit: "tokens", values: values.filter((_, i) => !encoding.whole.tokens[i]!.special) };
}

/** Said beside the results. */
export const unitSentences: Readonly<Record<UnitName, string>> = {
  patches:
    "Maps are compared patch by patch; methods that explain pixels are added up over each patch. Special tokens (class, registers) are left out.",
  pixels: "Maps are compared pixel by pixel, channels added up.",
  tokens: "Maps are compared token by token, without the special tokens that the tokenizer adds.",
  values: "Maps are compared value by value, where they have the same length.",
};
