/** The contact sheet of a comparison: a row for each picture and target, a column for each method. */
import { drawMatrix, keepSign, type MatrixOptions, type RgbRaster } from "@vitrail/picture";
import { isPicture, type PictureSample } from "../input/picture-sample.js";
import { captionOf, placeOf } from "../output/picture.js";
import type { View } from "../output/view.js";
import { costText } from "./cost.js";
import { absence, type ColumnResult, type ComparedRow } from "./run.js";

/** Rows on one sheet: more would make a picture that no viewer likes. */
const most = 12;

export const canDraw = ({ sample, common }: ComparedRow): boolean =>
  isPicture(sample) && common.every((each) => each === undefined || each.grid !== undefined);

export interface SheetTexts {
  readonly title: string;
  readonly caption: string;
  readonly table: readonly string[];
  readonly provenance: string;
}

/** One raster, or several where there are many rows. */
export function drawSheets(
  columns: readonly ColumnResult[],
  rows: readonly ComparedRow[],
  view: View,
  texts: SheetTexts,
): RgbRaster[] {
  const heads = columns.map(({ name, method, cost }) => ({
    title: name,
    notes: [...(cost ? [costText(cost)] : []), ...(method.classSpecific ? ["class-specific"] : [])],
    ...(!method.classSpecific && { stamp: "not class-specific" }),
  }));
  const drawn = rows.filter(canDraw).map((row) => {
    const sample = row.sample as PictureSample;
    const region = row.common.find((each) => each)?.grid?.region;
    const cells = row.common.map((each, c) =>
      each?.grid ? keepSign(each.grid, view.sign) : absence(columns[c]!, row),
    );
    return { title: rowTitle(row), picture: sample.raster, rectangle: placeOf(sample, region), cells };
  });
  const count = Math.ceil(drawn.length / most);
  const options: MatrixOptions = { ...texts, overlay: view.overlay, scale: view.scale };
  return Array.from({ length: count }, (_, page) => {
    const title = count > 1 ? `${texts.title} (${page + 1} of ${count})` : texts.title;
    return drawMatrix(heads, drawn.slice(page * most, (page + 1) * most), { ...options, title });
  });
}

/** Maps that are much weaker than the strongest of their method: on its scale they can hardly be seen, and that is said. */
export function faintNote(columns: readonly ColumnResult[], rows: readonly ComparedRow[], { scale }: View): string {
  if (scale.mode !== undefined) return "";
  const height = (each: ComparedRow["common"][number]) =>
    Array.from(each?.values ?? []).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const faint = columns.filter((_, c) => {
    const heights = rows.flatMap(({ common }) => (common[c] ? [height(common[c])] : []));
    return Math.min(...heights) < 0.1 * Math.max(...heights);
  });
  if (faint.length === 0) return "";
  const names = faint.map(({ name }) => name).join(", ");
  return `Every method has one scale for all its maps; of ${names} some maps can hardly be seen on it: --normalize map gives every map its own.`;
}

/** "BloodImage_00031.png · WBC  98.3 %" */
export function rowTitle({ sample, target, answers }: ComparedRow): string {
  const answer = answers.find((each) => each !== undefined);
  return `${sample.name} · ${answer ? captionOf(answer) : target}`;
}
