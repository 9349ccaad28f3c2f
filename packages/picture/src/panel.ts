/** One picture of a sheet: enlarged or reduced to a pleasant size, with its map and its boxes. */
import { fillRectangle, strokeRectangle } from "./draw.js";
import { drawText, type Font, fontFor, textWidth } from "./font.js";
import type { GridMap } from "./grid.js";
import { type OverlayOptions, overlay } from "./overlay.js";
import { type Raster, type Rectangle, type Rgb, type RgbRaster, toRgb } from "./raster.js";
import { resample } from "./resample.js";
import type { Scale } from "./scale.js";

/** A rectangle on the source picture (in its pixels), e.g. a doctor's annotation. */
export interface Box extends Rectangle {
  readonly label?: string;
  /** Default: a light green that no colour map holds. */
  readonly color?: Rgb;
}

/** A picture at the size in which it is shown. */
export interface Fitted {
  readonly raster: RgbRaster;
  /** Shown pixels per source pixel. */
  readonly scaleX: number;
  readonly scaleY: number;
}

/**
 * Brings a picture to between `minimum` and `maximum` pixels: small ones are enlarged by a whole number (nearest, so that a pixel
 * stays a pixel), large ones are reduced (bicubic) until the longer side fits.
 */
export function fitPicture(picture: Raster, minimum = 320, maximum = 960): Fitted {
  const rgb = toRgb(picture);
  const { width, height } = rgb;
  const long = Math.max(width, height);
  const factor = Math.max(1, Math.min(Math.ceil(minimum / width), Math.floor(maximum / long)));
  if (factor > 1) return done(resample(rgb, width * factor, height * factor, "nearest"));
  if (long <= maximum) return done(rgb);
  const to = (side: number) => Math.max(1, Math.round((side * maximum) / long));
  return done(resample(rgb, to(width), to(height), "bicubic"));

  function done(raster: Raster): Fitted {
    return { raster: toRgb(raster), scaleX: raster.width / width, scaleY: raster.height / height };
  }
}

/** The rectangle of the source picture in shown pixels. */
export function fitRectangle(rectangle: Rectangle, fitted: Fitted): Rectangle {
  const { scaleX, scaleY } = fitted;
  return {
    x: rectangle.x * scaleX,
    y: rectangle.y * scaleY,
    width: rectangle.width * scaleX,
    height: rectangle.height * scaleY,
  };
}

/** The shown picture with a map over it (`rectangle` in source pixels) and boxes on top. */
export function drawPanel(
  fitted: Fitted,
  map: GridMap | null,
  scale: Scale | null,
  options: OverlayOptions,
  rectangle: Rectangle | undefined,
  boxes: readonly Box[] = [],
): RgbRaster {
  const { raster } = fitted;
  const where = rectangle && fitRectangle(rectangle, fitted);
  const drawn =
    map && scale ? overlay(raster, map, scale, options, where) : { ...raster, data: new Uint8Array(raster.data) };
  const font = fontFor(Math.min(24, Math.max(12, raster.width / 26)));
  for (const box of boxes) drawBox(drawn, fitRectangle(box, fitted), box, font);
  return drawn;
}

function drawBox(target: RgbRaster, where: Rectangle, box: Box, font: Font): void {
  const color = box.color ?? [80, 255, 120];
  const line = Math.max(2, Math.round(target.width / 300));
  const rim = { x: where.x - line, y: where.y - line, width: where.width + 2 * line, height: where.height + 2 * line };
  strokeRectangle(target, rim, 3 * line, [0, 0, 0]);
  strokeRectangle(target, where, line, color);
  if (!box.label) return;
  const width = textWidth(box.label, font) + 6;
  const height = font.height + 2;
  const x = Math.round(Math.min(Math.max(0, where.x - line), Math.max(0, target.width - width)));
  const above = where.y - line - height;
  const y = Math.round(above >= 0 ? above : Math.max(0, where.y));
  fillRectangle(target, x, y, width, height, [0, 0, 0]);
  drawText(target, box.label, x + 3, y + 1, font, color);
}
