/**
 * A map is a grid of values that covers the model's input exactly: one value per patch, or per pixel.
 * Upsampling: nearest shows the true grid; bilinear is PyTorch's `F.interpolate(mode="bilinear", align_corners=False)`:
 *
 *   u = (x + 1/2) columns / width - 1/2,   value = (1 - f) map[floor u] + f map[floor u + 1],   u clamped to the grid
 */
import { pictureError } from "./error.js";
import type { Rectangle } from "./raster.js";

/** `values[row * columns + column]`, top left first; units are the method's own. */
export interface GridMap {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

export type Interpolation = "nearest" | "bilinear";

/** Checks the length; throws `bad-map`. */
export function checkMap(map: GridMap): void {
  const { rows, columns, values } = map;
  if (
    Number.isInteger(rows) &&
    Number.isInteger(columns) &&
    rows > 0 &&
    columns > 0 &&
    values.length === rows * columns
  ) {
    return;
  }
  throw pictureError(
    "bad-map",
    `a map of ${rows} x ${columns} came with ${values.length} values`,
    "rows times columns must be the number of values",
    "leave out class, distillation and register tokens, and check the patch grid",
  );
}

/** A pixel map [channels, rows, columns] (or channels last) as one value per pixel: the sum over the channels. */
export function sumChannels(
  values: ArrayLike<number>,
  channels: number,
  rows: number,
  columns: number,
  layout: "nchw" | "nhwc" = "nchw",
): GridMap {
  checkMap({ rows: rows * channels, columns, values });
  const n = rows * columns;
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += values[layout === "nchw" ? c * n + i : i * channels + c]!;
    out[i] = sum;
  }
  return { rows, columns, values: out };
}

/**
 * A finer map in the units of a coarser one: the sum over the values that lie in each cell. `region` says, in cells of the finer map,
 * where the coarser one lies (default: everywhere); what lies beside it is left out. Without it the sum of the map stays.
 */
export function sumCells(
  map: GridMap,
  rows: number,
  columns: number,
  region: Rectangle = { x: 0, y: 0, width: map.columns, height: map.rows },
): GridMap {
  checkMap(map);
  const out = new Float32Array(rows * columns);
  for (let r = 0; r < map.rows; r++) {
    const row = Math.floor(((r - region.y) * rows) / region.height);
    if (row < 0 || row >= rows) continue;
    for (let c = 0; c < map.columns; c++) {
      const column = Math.floor(((c - region.x) * columns) / region.width);
      if (column < 0 || column >= columns) continue;
      const at = row * columns + column;
      out[at] = out[at]! + map.values[r * map.columns + c]!;
    }
  }
  return { rows, columns, values: out };
}

/** Keeps one sign: "positive" max(v, 0), "negative" max(-v, 0), "absolute" |v|, "all" the map itself. */
export function keepSign(map: GridMap, sign: "all" | "positive" | "negative" | "absolute"): GridMap {
  if (sign === "all") return map;
  const apply = {
    positive: (v: number) => Math.max(v, 0),
    negative: (v: number) => Math.max(-v, 0),
    absolute: Math.abs,
  }[sign];
  return { ...map, values: Float32Array.from(map.values, apply) };
}

/**
 * Values for `width` x `height` pixels. `rectangle` says, in these pixels, where the map lies (default: everywhere);
 * pixels outside of it are NaN.
 */
export function upsample(
  map: GridMap,
  width: number,
  height: number,
  interpolation: Interpolation = "nearest",
  rectangle: Rectangle = { x: 0, y: 0, width, height },
): Float32Array {
  checkMap(map);
  const x = axis(width, map.columns, rectangle.x, rectangle.width, interpolation);
  const y = axis(height, map.rows, rectangle.y, rectangle.height, interpolation);
  const out = new Float32Array(width * height).fill(Number.NaN);
  const { values, columns } = map;
  for (let j = 0; j < height; j++) {
    const r = y.low[j]!;
    const fy = y.share[j]!;
    if (r < 0) continue;
    for (let i = 0; i < width; i++) {
      const c = x.low[i]!;
      const fx = x.share[i]!;
      if (c < 0) continue;
      const p = r * columns + c;
      // a neighbour is not read where its share is 0: it may be NaN or lie outside
      let v = fx === 0 ? values[p]! : values[p]! * (1 - fx) + values[p + 1]! * fx;
      if (fy > 0) {
        const q = p + columns;
        v = v * (1 - fy) + fy * (fx === 0 ? values[q]! : values[q]! * (1 - fx) + values[q + 1]! * fx);
      }
      out[j * width + i] = v;
    }
  }
  return out;
}

/** For every pixel the lower neighbour (-1: outside) and the share of the upper one. */
function axis(pixels: number, cells: number, start: number, length: number, interpolation: Interpolation) {
  const low = new Int32Array(pixels).fill(-1);
  const share = new Float64Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const u = ((i + 0.5 - start) * cells) / length;
    if (!(u >= 0 && u < cells)) continue;
    if (interpolation === "nearest") {
      low[i] = Math.floor(u);
      continue;
    }
    const v = Math.min(Math.max(u - 0.5, 0), cells - 1);
    low[i] = Math.floor(v);
    share[i] = v - Math.floor(v);
  }
  return { low, share };
}
