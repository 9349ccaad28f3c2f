/**
 * Draws a map over a picture.
 *
 *   blend    (1 - o) picture + o colour(v)                    everywhere the same opacity
 *   alpha    (1 - o s) picture + o s colour(v)                opacity grows with the strength s = |v| / max: zero is transparent
 *   mask     the picture where s >= threshold, veiled elsewhere
 *   contour  lines where s crosses the levels, picture untouched in between
 *   map      the colours alone;  side-by-side  picture | map
 *
 * What the model did not see (cropped away) is grey and pale in every mode.
 */
import { type Colormap, type ColormapName, colorAt, colormaps, defaultColormap } from "./colormap.js";
import { blit } from "./draw.js";
import { pictureError } from "./error.js";
import { type GridMap, type Interpolation, upsample } from "./grid.js";
import { createRgb, type Raster, type Rectangle, type Rgb, type RgbRaster, toRgb } from "./raster.js";
import { position, type Scale, strength } from "./scale.js";

export const overlayModes = ["blend", "alpha", "mask", "contour", "map", "side-by-side"] as const;
export type OverlayMode = (typeof overlayModes)[number];

export interface OverlayOptions {
  /** Default "blend". */
  readonly mode?: OverlayMode;
  /** 0..1; default 0.6 (alpha: 0.9). */
  readonly opacity?: number;
  /** Strength 0..1 below which nothing is drawn; default 0 (mask: 0.5). */
  readonly threshold?: number;
  /** Default viridis, or blue-white-red for signed scales. */
  readonly colormap?: ColormapName;
  /** Default "nearest": the true patch grid. */
  readonly interpolation?: Interpolation;
  /** Strengths of the contour lines; default 1/4, 1/2, 3/4. */
  readonly levels?: readonly number[];
  /** Line width of contours in pixels; default 1/160 of the width, at least 1. */
  readonly lineWidth?: number;
}

/** Opacity of a value, 0..1; the legend uses the same function. */
export function opacityOf(scale: Scale, value: number, options: OverlayOptions): number {
  const { mode = "blend" } = options;
  const s = strength(scale, value);
  if (Number.isNaN(s) || s < (options.threshold ?? 0)) return 0;
  if (mode === "map" || mode === "side-by-side") return 1;
  if (mode === "alpha") return (options.opacity ?? 0.9) * s;
  return options.opacity ?? 0.6;
}

/** The colour map that the options and the scale lead to. Throws `bad-option`. */
export function chooseColormap(scale: Scale, name?: ColormapName): Colormap {
  const map = name === undefined ? defaultColormap(scale.signed) : colormaps[name];
  if (!map) {
    throw pictureError(
      "bad-option",
      `no colour map "${name}"`,
      "the name is not known",
      `use one of ${Object.keys(colormaps).join(", ")}`,
    );
  }
  return map;
}

/**
 * The picture with the map over it. `rectangle` is where the map lies, in pixels of this picture (`Geometry.rectangle`; default: all
 * of it). Returns the size of the picture; "side-by-side" is twice as wide plus a gap. Throws `bad-raster`, `bad-map`, `bad-option`.
 */
export function overlay(
  picture: Raster,
  map: GridMap,
  scale: Scale,
  options: OverlayOptions = {},
  rectangle?: Rectangle,
): RgbRaster {
  const base = toRgb(picture);
  const { width, height } = base;
  const mode = options.mode ?? "blend";
  checkOptions(options);
  const values = upsample(map, width, height, options.interpolation, rectangle);
  if (mode === "side-by-side") {
    const gap = Math.max(2, Math.round(width / 80));
    const both = createRgb(2 * width + gap, height);
    blit(both, base, 0, 0);
    blit(both, overlay(base, map, scale, { ...options, mode: "map" }, rectangle), width + gap, 0);
    return both;
  }
  const out = createRgb(width, height);
  const outside = upsample({ rows: 1, columns: 1, values: [1] }, width, height, "nearest", rectangle);
  const colors = chooseColormap(scale, options.colormap);
  for (let i = 0, p = 0; i < values.length; i++, p += 3) {
    const pixel: Rgb = [base.data[p]!, base.data[p + 1]!, base.data[p + 2]!];
    const color = Number.isNaN(outside[i]!) ? unseen(pixel) : shade(pixel, values[i]!, mode, scale, options, colors);
    for (let c = 0; c < 3; c++) out.data[p + c] = Math.round(color[c]!);
  }
  if (mode === "contour") drawContours(out, values, scale, options, colors);
  return out;
}

function checkOptions(options: OverlayOptions): void {
  const { mode = "blend", opacity = 1, threshold = 0 } = options;
  if (overlayModes.includes(mode) && opacity >= 0 && opacity <= 1 && threshold >= 0 && threshold <= 1) return;
  throw pictureError(
    "bad-option",
    `overlay with mode ${mode}, opacity ${opacity}, threshold ${threshold}`,
    `modes are ${overlayModes.join(", ")}; opacity and threshold lie between 0 and 1`,
    "correct the option",
  );
}

function shade(
  pixel: Rgb,
  value: number,
  mode: OverlayMode,
  scale: Scale,
  options: OverlayOptions,
  colors: Colormap,
): Rgb {
  if (mode === "contour") return pixel;
  if (mode === "mask") return strength(scale, value) >= (options.threshold ?? 0.5) ? pixel : veil(pixel);
  if (Number.isNaN(value)) return mode === "map" ? [128, 128, 128] : pixel;
  const o = opacityOf(scale, value, options);
  if (o === 0) return mode === "map" ? [236, 236, 236] : pixel;
  return mix(pixel, colorAt(colors, position(scale, value)), o);
}

const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

const luminance = (p: Rgb) => 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];

function veil(p: Rgb): Rgb {
  const grey = luminance(p) * 0.28 + 22;
  return [grey, grey, grey];
}

function unseen(p: Rgb): Rgb {
  const grey = luminance(p) * 0.3 + 168;
  return [grey, grey, grey];
}

/** A pixel is on a line when a neighbour within half a line width is on the other side of the level. Dark rim, coloured core. */
function drawContours(
  out: RgbRaster,
  values: Float32Array,
  scale: Scale,
  options: OverlayOptions,
  colors: Colormap,
): void {
  const { width, height } = out;
  const line = Math.max(1, Math.round(options.lineWidth ?? width / 160));
  for (const level of [...(options.levels ?? [0.25, 0.5, 0.75])].sort((a, b) => a - b)) {
    const inside = Uint8Array.from(values, (v) => (strength(scale, v) >= level ? (v < 0 ? 2 : 1) : 0));
    const distance = distanceToOther(inside, width, height, line + 1);
    for (let i = 0; i < inside.length; i++) {
      if (inside[i] === 0 || distance[i]! > line + 1) continue;
      const core = distance[i]! <= line;
      const at = scale.signed ? 0.5 + (inside[i] === 2 ? -level : level) / 2 : level;
      const color: Rgb = core ? colorAt(colors, at) : [0, 0, 0];
      for (let c = 0; c < 3; c++) out.data[i * 3 + c] = core ? color[c]! : Math.round(out.data[i * 3 + c]! * 0.35);
    }
  }
}

/** Chessboard distance to the nearest pixel of another class, up to `limit` (more is limit + 1); the picture's edge counts as inside. */
function distanceToOther(classes: Uint8Array, width: number, height: number, limit: number): Uint8Array {
  const distance = new Uint8Array(classes.length).fill(limit + 1);
  for (let d = 1; d <= limit; d++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        if (distance[i]! <= limit) continue;
        search: for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            const u = x + dx;
            const v = y + dy;
            if (u < 0 || v < 0 || u >= width || v >= height) continue;
            const n = v * width + u;
            const reached = d === 1 ? classes[n] !== classes[i] : classes[n] === classes[i] && distance[n] === d - 1;
            if (!reached) continue;
            distance[i] = d;
            break search;
          }
        }
      }
    }
  }
  return distance;
}
