/**
 * Truth and picture may differ in size: a mask drawn at another resolution, a picture resized after it was annotated. Where both have
 * one shape, truth is scaled; where they have not, nobody knows how one lies on the other, and the row is broken.
 */
import { Broken, check } from "./loaded.js";
import type { PictureSample, PixelSize, Placement } from "./picture-sample.js";

/** Whether one could be the other, resized: equal ratios, but for the rounding of one side to whole pixels. */
export function sameShape(a: PixelSize, b: PixelSize): boolean {
  const off = (along: number, across: number, other: number, wanted: number) =>
    Math.abs(across * (other / along) - wanted) <= 1;
  return off(a.width, a.height, b.width, b.height) || off(a.height, a.width, b.height, b.width);
}

export const sameSize = (a: PixelSize, b: PixelSize): boolean => a.width === b.width && a.height === b.height;

const said = ({ width, height }: PixelSize): string => `${width} x ${height}`;

/** Where truth of its own size lies in the model's input, given where the picture lies. */
export function placeTruth(placement: Placement, picture: PixelSize, truth: PixelSize): Placement {
  check(sameShape(picture, truth), `the picture is ${said(picture)}, what marks it is ${said(truth)}`);
  const [x, y] = [picture.width / truth.width, picture.height / truth.height];
  return { ...placement, scaleX: placement.scaleX * x, scaleY: placement.scaleY * y };
}

/** How far a box may reach over the edge: annotations round. */
const slack = (length: number): number => Math.max(2, 0.01 * length);

/** Whether truth must be scaled to lie on its picture. A sample whose truth cannot lie on it is `Broken`. */
export async function mustScale({ regions, size }: PictureSample, picture: PixelSize): Promise<boolean> {
  const stated = size ?? picture;
  check(sameShape(stated, picture), `the picture is ${said(picture)}, its annotation says ${said(stated)}`);
  let scaled = !sameSize(stated, picture) && regions.length > 0;
  for (const { label, boxes, mask, maskSize } of regions) {
    for (const { x, y, width, height } of boxes) {
      const [right, bottom] = [x + width, y + height];
      const inside = right <= stated.width + slack(stated.width) && bottom <= stated.height + slack(stated.height);
      check(
        inside && x >= -slack(stated.width) && y >= -slack(stated.height),
        `a box of "${label}" reaches to ${right}, ${bottom}: outside of ${said(stated)}`,
      );
    }
    if (!mask || !maskSize) continue;
    const own = await maskSize();
    check(sameShape(own, picture), `the picture is ${said(picture)}, its mask ${said(own)}`);
    scaled ||= !sameSize(own, picture);
  }
  return scaled;
}

/** The reason why a row is broken, or `undefined` for an error of another kind. */
export const brokenReason = (error: unknown): string | undefined =>
  error instanceof Broken ? error.message : undefined;
