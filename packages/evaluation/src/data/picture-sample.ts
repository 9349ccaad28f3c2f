import { boxMask } from "../location.js";
import type { Box } from "../model.js";

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** Marks on the picture, one byte per pixel; of the picture's size or scaled to it. */
export interface Mask extends PixelSize {
  readonly data: Uint8Array;
}

/** Where one class is. */
export interface Region {
  readonly label: string;
  /** In pixels of the annotated picture: the sample's `size`. */
  readonly boxes: readonly Box[];
  /** Made when asked for: masks are large. */
  mask?(): Promise<Mask>;
  /** The mask's size, known before it is made; for masks of files. */
  maskSize?(): Promise<PixelSize>;
}

/** A decoded picture: rows of interleaved channels, 8 bits each. */
export interface Bitmap extends PixelSize {
  readonly channels: number;
  readonly data: Uint8Array;
}

export interface PictureSample {
  readonly id: string;
  /** File in the folder; a sample without one brings its pixels. */
  readonly path?: string;
  pixels?(): Promise<Bitmap>;
  /** PixelSize of the picture that was annotated, where the annotation says it; else that of the stored picture. */
  readonly size?: PixelSize;
  readonly labels: readonly string[];
  /** Samples cut from one photograph share a group; intervals resample groups. Its own id when not said. */
  readonly group?: string;
  readonly regions: readonly Region[];
  /** Objects that can be taken out: each with its mask and the picture without it. */
  readonly parts?: readonly { mask(): Mask; without(): Bitmap }[];
}

/** How the model's preprocessing placed the stored picture: model x = x * scaleX - left, y alike. */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A mask as the model's input shows it: nearest pixel, cropped away parts lost. */
export function placeMask(mask: Mask, { scaleX, scaleY, left, top, width, height }: Placement): Uint8Array {
  const result = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y + 0.5 + top) / scaleY);
    if (row < 0 || row >= mask.height) continue;
    for (let x = 0; x < width; x++) {
      const column = Math.floor((x + 0.5 + left) / scaleX);
      if (column >= 0 && column < mask.width) result[y * width + x] = mask.data[row * mask.width + column] ? 1 : 0;
    }
  }
  return result;
}

/** Boxes as the model's input shows them; boxes that the crop lost are dropped. */
export function placeBoxes(boxes: readonly Box[], { scaleX, scaleY, left, top, width, height }: Placement): Box[] {
  return boxes.flatMap((box) => {
    const x = Math.max(0, box.x * scaleX - left);
    const y = Math.max(0, box.y * scaleY - top);
    const right = Math.min(width, (box.x + box.width) * scaleX - left);
    const bottom = Math.min(height, (box.y + box.height) * scaleY - top);
    return right > x && bottom > y ? [{ x, y, width: right - x, height: bottom - y }] : [];
  });
}

/** The union of a region's boxes as a mask, for data without outlines. */
export const maskOfBoxes = (boxes: readonly Box[], width: number, height: number): Mask => ({
  width,
  height,
  data: boxMask(boxes, height, width),
});
