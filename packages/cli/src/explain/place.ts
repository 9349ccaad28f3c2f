/**
 * Which cell of a dense output holds a pixel of the picture. With the tensor over the rectangle (x0, y0, w, h) of the picture and an
 * output of rows x columns over the whole tensor:
 *
 *     column = floor( columns (x + 1/2 - x0) / w ),   row = floor( rows (y + 1/2 - y0) / h )
 */
import { isPicture } from "../input/picture-sample.js";
import { problem } from "../problem.js";
import type { OutputView } from "./output.js";
import type { Sample } from "./sample.js";
import type { Pixel } from "./wanted.js";

/** @returns a number for each axis that is no class; @throws VitrailError E045 */
export function cellOf(
  { x, y }: Pixel,
  { axes }: Pick<OutputView, "axes">,
  sample: Sample,
  extents: readonly number[],
): number[] {
  const at = `--at ${x},${y}`;
  const [row, column] = [axes.indexOf("row"), axes.indexOf("column")];
  if (!isPicture(sample) || row < 0 || column < 0 || axes.includes("query")) {
    const why = isPicture(sample)
      ? "the explained output says one thing of the whole picture"
      : `"${sample.name}" is no picture`;
    throw problem("E045", { at, why, try: "leave it out, or --output NAME of an output with rows and columns" });
  }
  const { source, rectangle } = sample.geometry;
  if (x >= source.width || y >= source.height) {
    const why = `${sample.name} has ${source.width} x ${source.height} pixels`;
    throw problem("E045", { at, why, try: `x from 0 to ${source.width - 1}, y from 0 to ${source.height - 1}` });
  }
  const own = {
    row: Math.floor((extents[row]! * (y + 0.5 - rectangle.y)) / rectangle.height),
    column: Math.floor((extents[column]! * (x + 0.5 - rectangle.x)) / rectangle.width),
  };
  if (own.row < 0 || own.column < 0 || own.row >= extents[row]! || own.column >= extents[column]!) {
    const why = "the model does not see this pixel: the picture is cropped";
    throw problem("E045", { at, why, try: "a pixel nearer to the middle" });
  }
  return row < column ? [own.row, own.column] : [own.column, own.row];
}
