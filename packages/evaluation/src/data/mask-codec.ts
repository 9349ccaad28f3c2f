/** Outlines and run lengths to masks. */
import { Broken, check } from "./loaded.js";
import type { Mask } from "./picture-sample.js";

/** Fills polygons (flat lists of x, y) where pixel centres are inside, by the even-odd rule. */
export function polygonMask(polygons: readonly (readonly number[])[], width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  for (const points of polygons) {
    for (let row = 0; row < height; row++) {
      const crossings = crossingsAt(points, row + 0.5);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const from = Math.max(0, Math.ceil(crossings[i]! - 0.5));
        const to = Math.min(width, Math.ceil(crossings[i + 1]! - 0.5));
        if (to > from) data.fill(1, row * width + from, row * width + to);
      }
    }
  }
  return { width, height, data };
}

function crossingsAt(points: readonly number[], y: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < points.length; i += 2) {
    const j = (i + 2) % points.length;
    const [x0, y0, x1, y1] = [points[i]!, points[i + 1]!, points[j]!, points[j + 1]!];
    if (y0 <= y !== y1 <= y) result.push(x0 + ((y - y0) * (x1 - x0)) / (y1 - y0));
  }
  return result.sort((a, b) => a - b);
}

/** COCO run lengths: down the columns, background first. */
export function runLengthMask(counts: readonly number[], width: number, height: number): Mask {
  const total = counts.reduce((sum, count) => sum + count, 0);
  check(total === width * height, `run lengths sum to ${total}, the mask has ${width * height} pixels`);
  const data = new Uint8Array(width * height);
  let at = 0;
  counts.forEach((count, index) => {
    for (const end = at + count; at < end; at++) {
      if (index % 2 === 1) data[(at % height) * width + Math.floor(at / height)] = 1;
    }
  });
  return { width, height, data };
}

/** COCO's compressed counts: little-endian groups of five bits from character 48, from the third on relative to two before. */
export function parseRunLengths(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let shift = 0;
    let code: number;
    do {
      if (at >= text.length) throw new Broken("run lengths end in the middle of a number");
      code = text.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32);
    if (code & 16 && shift < 32) value |= -1 << shift;
    counts.push(counts.length > 2 ? value + counts.at(-2)! : value);
  }
  return counts;
}
