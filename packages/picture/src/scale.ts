/**
 * From values to 0..1, explicitly: over this map, over a set of maps, or over a fixed range. The scale is what the legend prints.
 *
 *   sequential: p = (v - min) / (max - min), min = 0 unless asked otherwise        signed: p = 1/2 + v / (2 max), max = max |v|
 *
 * Clipping uses percentiles with linear interpolation (numpy's default) of the values, or of |v| when signed.
 */
import { pictureError } from "./error.js";
import type { GridMap } from "./grid.js";

export type ScaleMode = "map" | "set" | "fixed";

export interface ScaleOptions {
  /** "map": every map its own range; "set" (default): one range for all; "fixed": `min` and `max` as given. */
  readonly mode?: ScaleMode;
  /** For "fixed". */
  readonly min?: number;
  readonly max?: number;
  /** Treat values as signed; default: signed when any value is below zero. */
  readonly signed?: boolean;
  /** Percent of the values to cut off at each end, 0..5; default 0. */
  readonly clip?: number;
  /** Where a sequential scale begins: at "zero" (default) or at the smallest value. */
  readonly from?: "zero" | "minimum";
}

/** A range with its meaning. `max > min` unless every value is equal. */
export interface Scale {
  readonly mode: ScaleMode;
  readonly min: number;
  readonly max: number;
  /** Diverging: min = -max, zero in the middle. */
  readonly signed: boolean;
  /** Percent cut off. */
  readonly clip: number;
  /** How many finite values lie outside of the range. */
  readonly outside: number;
}

/** One scale for each map (the same object for "set" and "fixed"). Throws `bad-option`. */
export function makeScales(maps: readonly GridMap[], options: ScaleOptions = {}): Scale[] {
  const mode = options.mode ?? "set";
  const clip = options.clip ?? 0;
  if (!(clip >= 0 && clip <= 5)) {
    throw pictureError(
      "bad-option",
      `clip is ${clip}`,
      "more than 5 % of the values would be hidden",
      "use 0 to 5 (percent)",
    );
  }
  const values = maps.map((m) => Float64Array.from(m.values).filter(Number.isFinite));
  if (mode === "map") return values.map((v) => range(v, mode, clip, options));
  const all = new Float64Array(values.reduce((n, v) => n + v.length, 0));
  let at = 0;
  for (const v of values) {
    all.set(v, at);
    at += v.length;
  }
  const shared = mode === "fixed" ? fixed(all, options) : range(all, mode, clip, options);
  return maps.map(() => shared);
}

/** The scale of one map alone. */
export function makeScale(map: GridMap, options: ScaleOptions = {}): Scale {
  return makeScales([map], { mode: "map", ...options })[0]!;
}

/** Position on the colour map, 0..1; NaN stays NaN. */
export function position(scale: Scale, value: number): number {
  if (scale.max === scale.min) return scale.signed ? 0.5 : value > scale.max ? 1 : value - value;
  const p = (value - scale.min) / (scale.max - scale.min);
  return p < 0 ? 0 : Math.min(p, 1);
}

/** Strength 0..1, the distance from "nothing": position on a sequential scale, |v| / max on a signed one. */
export function strength(scale: Scale, value: number): number {
  const p = position(scale, value);
  return scale.signed ? Math.abs(2 * p - 1) : p;
}

function range(values: Float64Array, mode: ScaleMode, clip: number, options: ScaleOptions): Scale {
  const signed = options.signed ?? values.some((v) => v < 0);
  if (values.length === 0) return { mode, min: 0, max: 0, signed, clip, outside: 0 };
  const sorted = (signed ? values.map(Math.abs) : Float64Array.from(values)).sort();
  const max = percentile(sorted, 100 - clip);
  let min = signed ? -max : 0;
  if (!signed && (options.from === "minimum" || max < 0)) min = percentile(sorted, clip);
  return { mode, min, max, signed, clip, outside: countOutside(values, min, max) };
}

function fixed(values: Float64Array, options: ScaleOptions): Scale {
  const { min, max } = options;
  if (min === undefined || max === undefined || !(min < max) || !Number.isFinite(max - min)) {
    throw pictureError(
      "bad-option",
      `a fixed scale from ${min} to ${max}`,
      "it needs two numbers, the smaller one first",
      "give min and max",
    );
  }
  const signed = options.signed ?? min < 0;
  if (signed && min !== -max) {
    throw pictureError(
      "bad-option",
      `a signed scale from ${min} to ${max}`,
      "zero must be in the middle, or the two signs cannot be compared",
      `use ${-Math.max(-min, max)} to ${Math.max(-min, max)}`,
    );
  }
  return { mode: "fixed", min, max, signed, clip: 0, outside: countOutside(values, min, max) };
}

function countOutside(values: Float64Array, min: number, max: number): number {
  let n = 0;
  for (const v of values) if (v < min || v > max) n++;
  return n;
}

function percentile(sorted: Float64Array, percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}
