/** Drawing on RGB rasters: rectangles, outlines, pasting. Everything is clipped at the edges. */
import type { Rectangle, Rgb, RgbRaster } from "./raster.js";

/** Fills a rectangle of whole pixels. */
export function fillRectangle(
  target: RgbRaster,
  x: number,
  y: number,
  width: number,
  height: number,
  color: Rgb,
): void {
  for (let j = Math.max(0, y); j < Math.min(target.height, y + height); j++) {
    for (let i = Math.max(0, x); i < Math.min(target.width, x + width); i++) {
      target.data.set(color, (j * target.width + i) * 3);
    }
  }
}

/** Draws the outline of a rectangle, `line` pixels wide, inside of it. Fractions are rounded. */
export function strokeRectangle(target: RgbRaster, rectangle: Rectangle, line: number, color: Rgb): void {
  const x = Math.round(rectangle.x);
  const y = Math.round(rectangle.y);
  const width = Math.round(rectangle.x + rectangle.width) - x;
  const height = Math.round(rectangle.y + rectangle.height) - y;
  fillRectangle(target, x, y, width, line, color);
  fillRectangle(target, x, y + height - line, width, line, color);
  fillRectangle(target, x, y, line, height, color);
  fillRectangle(target, x + width - line, y, line, height, color);
}

/** Copies `source` into `target` with its top left corner at (x, y). */
export function blit(target: RgbRaster, source: RgbRaster, x: number, y: number): void {
  const from = Math.max(0, -x);
  const to = Math.min(source.width, target.width - x);
  if (to <= from) return;
  for (let j = Math.max(0, -y); j < Math.min(source.height, target.height - y); j++) {
    const row = source.data.subarray((j * source.width + from) * 3, (j * source.width + to) * 3);
    target.data.set(row, ((j + y) * target.width + x + from) * 3);
  }
}
