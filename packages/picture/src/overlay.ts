/**
 * Draws a map over a picture.
 *
 *   blend    (1 - o) picture + o colour(v)                    everywhere the same opacity
 *   alpha    (1 - o s) picture + o s colour(v)                opacity grows with the strength s = |v| / max: zero is transparent;
 *            on a diverging map colour(v) is one colour for each sign
 *   mask     the picture where s >= threshold, veiled elsewhere
 *   contour  lines where s crosses the levels, picture untouched in between
 *   map      the colours alone;  side-by-side  picture | map
 *
 * Values below zero are hatched, and their contours dashed, so that the sign is never left to colour.
 *
 * What the model did not see (cropped away) fades to grey and paper in every mode.
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
  /** Default "alpha". */
  readonly mode?: OverlayMode;
  /** 0..1; default 0.9 for alpha, 0.6 for blend. */
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
  /** Draw over the picture in greys, so that colour only means relevance; default: for diverging maps, except masks. */
  readonly grey?: boolean;
  /** Colour of the paper around, towards which unseen parts fade; default white. */
  readonly paper?: Rgb;
}

/** Strengths at which contours are drawn unless told. */
export const defaultLevels: readonly number[] = [0.25, 0.5, 0.75];

/** How a value looks before it is mixed with the picture; the legend uses the same function. */
export interface Look {
  readonly color: Rgb;
  /** 0..1. */
  readonly opacity: number;
}

/** Colour and opacity of a value (mode contour and mask: the colour of the bar). NaN is transparent. */
export function lookOf(scale: Scale, value: number, options: OverlayOptions, colors: Colormap): Look {
  const { mode = "alpha" } = options;
  const s = strength(scale, value);
  const p = position(scale, value);
  if (Number.isNaN(s) || s < (options.threshold ?? 0)) return { color: [0, 0, 0], opacity: 0 };
  if (mode === "alpha") {
    // with a diverging map the sign alone gives the colour: its pale middle would count the strength twice
    const at = colors.kind === "diverging" ? (p < 0.5 ? 0.12 : 0.88) : p;
    return { color: colorAt(colors, at), opacity: (options.opacity ?? 0.9) * s };
  }
  return { color: colorAt(colors, p), opacity: mode === "blend" ? (options.opacity ?? 0.6) : 1 };
}

/** Distance of the hatching's lines, in pixels, on a picture of this width. */
const hatchPeriod = (width: number): number => Math.max(6, Math.round(width / 48));

/** Whether a pixel lies on a line of the hatching, which runs diagonally. */
export const onHatch = (x: number, y: number, period: number): boolean => (x + y) % period >= (2 * period) / 3;

/** How much of its colour a hatched pixel keeps. */
export const hatchShare = 0.35;

/** The colour map that the options and the scale lead to. Throws `bad-option`. */
export function chooseColormap(scale: Scale, name?: ColormapName): Colormap {
  const map = name === undefined ? defaultColormap(scale.signed) : Object.hasOwn(colormaps, name) && colormaps[name];
  if (map) return map;
  const known = Object.keys(colormaps).join(", ");
  throw pictureError("bad-option", `no colour map "${name}"`, "the name is not known", `use one of ${known}`);
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
  const { mode = "alpha", paper = [255, 255, 255] } = options;
  checkOptions(options);
  if (mode === "side-by-side") {
    const gap = Math.max(2, Math.round(width / 80));
    const both = createRgb(2 * width + gap, height, paper);
    blit(both, base, 0, 0);
    blit(both, overlay(base, map, scale, { ...options, mode: "map" }, rectangle), width + gap, 0);
    return both;
  }
  const values = upsample(map, width, height, options.interpolation, rectangle);
  const colors = chooseColormap(scale, options.colormap);
  const out: RgbRaster = { width, height, channels: 3, data: new Uint8Array(base.data) };
  if (options.grey ?? (colors.kind === "diverging" && mode !== "mask")) toGreyInPlace(out.data);
  if (mode === "mask") applyMask(out, values, scale, options.threshold ?? 0.5);
  else if (mode !== "contour") applyColors(out, values, scale, { paper, ...options }, colors);
  if (rectangle) fadeUnseen(out, base, rectangle, paper);
  if (mode === "contour") drawContours(out, values, scale, options, colors);
  return out;
}

function checkOptions(options: OverlayOptions): void {
  const { mode = "alpha", opacity = 1, threshold = 0 } = options;
  if (overlayModes.includes(mode) && opacity >= 0 && opacity <= 1 && threshold >= 0 && threshold <= 1) return;
  throw pictureError(
    "bad-option",
    `overlay with mode ${mode}, opacity ${opacity}, threshold ${threshold}`,
    `modes are ${overlayModes.join(", ")}; opacity and threshold lie between 0 and 1`,
    "correct the option",
  );
}

/** Mixes colours in, through a table over 256 positions of the scale. */
function applyColors(
  out: RgbRaster,
  values: Float32Array,
  scale: Scale,
  options: OverlayOptions,
  colors: Colormap,
): void {
  const { data } = out;
  const plain = options.mode === "map";
  const threshold = options.threshold ?? 0;
  const looks = Array.from({ length: 256 }, (_, i) =>
    lookOf(scale, scale.min + (i / 255) * (scale.max - scale.min), { ...options, threshold: 0 }, colors),
  );
  const period = hatchPeriod(out.width);
  const { paper = [255, 255, 255] } = options;
  for (let i = 0, p = 0; i < values.length; i++, p += 3) {
    const at = position(scale, values[i]!);
    const hidden = Number.isNaN(at) || (threshold > 0 && strength(scale, values[i]!) < threshold);
    if (hidden && !plain) continue;
    const look = hidden ? hiddenLook : looks[Math.round(at * 255)]!;
    const hatched =
      scale.signed && values[i]! < 0 && !hidden && onHatch(i % out.width, Math.floor(i / out.width), period);
    const opacity = hatched ? look.opacity * hatchShare : look.opacity;
    for (let c = 0; c < 3; c++) {
      const below = hatched && plain ? paper[c]! : data[p + c]!;
      data[p + c] = below + (look.color[c]! - below) * opacity + 0.5;
    }
  }
}

/** Cells of a plain map that are below the threshold or have no value. */
const hiddenLook: Look = { color: [150, 150, 150], opacity: 1 };

const luminance = (data: Uint8Array, p: number) => 0.299 * data[p]! + 0.587 * data[p + 1]! + 0.114 * data[p + 2]!;

function toGreyInPlace(data: Uint8Array): void {
  for (let p = 0; p < data.length; p += 3) data.fill(luminance(data, p) + 0.5, p, p + 3);
}

function fadeUnseen(out: RgbRaster, base: RgbRaster, rectangle: Rectangle, paper: Rgb): void {
  const seen = upsample({ rows: 1, columns: 1, values: [1] }, out.width, out.height, "nearest", rectangle);
  for (let i = 0; i < seen.length; i++) {
    if (!Number.isNaN(seen[i]!)) continue;
    const grey = luminance(base.data, i * 3);
    for (let c = 0; c < 3; c++) out.data[i * 3 + c] = Math.round(grey + (paper[c]! - grey) * 0.68);
  }
}

function applyMask(out: RgbRaster, values: Float32Array, scale: Scale, threshold: number): void {
  for (let i = 0; i < values.length; i++) {
    if (strength(scale, values[i]!) >= threshold) continue;
    out.data.fill(Math.round(luminance(out.data, i * 3) * 0.28 + 22), i * 3, i * 3 + 3);
  }
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
  for (const level of [...(options.levels ?? defaultLevels)].sort((a, b) => a - b)) {
    const inside = Uint8Array.from(values, (v) => (strength(scale, v) >= level ? (v < 0 ? 2 : 1) : 0));
    const distance = distanceToOther(inside, width, height, line + 1);
    for (let i = 0; i < inside.length; i++) {
      if (inside[i] === 0 || distance[i]! > line + 1) continue;
      if (inside[i] === 2 && onHatch(i % width, Math.floor(i / width), 2 * hatchPeriod(width))) continue;
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
