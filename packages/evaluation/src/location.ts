import type { Options, Probe } from "./metric.js";
import { type Box, perPixel, perUnit } from "./model.js";

/** The map and the truth at one resolution: pixels for pictures, tokens for text. */
export interface Located {
  readonly scores: Float32Array;
  readonly truth: Uint8Array;
  /** Columns of the pixel grid; the number of tokens for text. */
  readonly columns: number;
}

/** Marks the union of boxes on a grid of pixels; a pixel is inside when its centre is. */
export function boxMask(boxes: readonly Box[], rows: number, columns: number): Uint8Array {
  const mask = new Uint8Array(rows * columns);
  for (const box of boxes) {
    for (let y = Math.max(0, Math.ceil(box.y - 0.5)); y < Math.min(rows, box.y + box.height - 0.5); y++) {
      for (let x = Math.max(0, Math.ceil(box.x - 0.5)); x < Math.min(columns, box.x + box.width - 0.5); x++) {
        mask[y * columns + x] = 1;
      }
    }
  }
  return mask;
}

/** Map and truth of a probe; boxes stand in for a mask, or with `boxes` are used in any case. */
export function locate<I>(probe: Probe<Options, I>, from: "mask" | "boxes" = "mask"): Located {
  const { subject, truth } = probe.case;
  const fine = subject.pixels;
  const [rows, columns] = fine?.grid ?? [1, subject.units];
  const marks = from === "mask" && truth?.mask ? truth.mask : boxMask(truth?.boxes ?? [], rows, columns);
  if (fine && marks.length === fine.units) return { scores: perPixel(subject, probe.relevance), truth: marks, columns };
  if (marks.length === subject.units) return { scores: perUnit(subject, probe.relevance), truth: marks, columns };
  throw new RangeError(
    `case ${probe.case.id}: truth has ${marks.length} marks, the sample ${fine?.units ?? subject.units}`,
  );
}
