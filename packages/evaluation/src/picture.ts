/** Pictures as subjects: patches or pixels can be taken away, before the model's own normalisation. */
import { imputeLinear } from "./impute.js";
import type { Fill, Subject } from "./model.js";
import type { Random } from "./random.js";
import { bilinear, gaussianBlur } from "./resample.js";

export interface Picture<I> {
  /** Channels, rows, columns; values in [0, 1]. */
  readonly pixels: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Patches: rows and columns of the map. */
  readonly grid: readonly [rows: number, columns: number];
  /** From pixels in [0, 1] to the model's input: mean, deviation, layout. */
  toInput(pixels: Float32Array): I;
}

type PictureSubject<I> = Subject<I> & { readonly pixels: NonNullable<Subject<I>["pixels"]> };

export function pictureSubject<I>(picture: Picture<I>): PictureSubject<I> {
  const { pixels, channels, height, width, grid, toInput } = picture;
  const area = height * width;
  const [rows, columns] = grid;
  const input = toInput(pixels);
  let blurred: Float32Array | undefined;
  const planes = (data: Float32Array) =>
    Array.from({ length: channels }, (_, c) => data.subarray(c * area, (c + 1) * area));
  const blur = () => {
    blurred ??= Float32Array.from(planes(pixels).flatMap((plane) => [...gaussianBlur(plane, height, width)]));
    return blurred;
  };
  const means = planes(pixels).map((plane) => plane.reduce((total, value) => total + value, 0) / area);
  const without = (gone: Uint8Array, fill: Fill, random: Random): I => {
    const result = pixels.slice();
    if (fill === "linear") imputeLinear(planes(result), { height, width, missing: gone }, random);
    else {
      const source = fill === "blur" ? blur() : undefined;
      for (let c = 0; c < channels; c++) {
        const flat = fill === "mean" ? means[c]! : 0;
        const start = c * area;
        for (let i = 0; i < area; i++) if (gone[i]) result[start + i] = source ? source[start + i]! : flat;
      }
    }
    return toInput(result);
  };
  const noisy = (radius: number, random: Random): I =>
    toInput(pixels.map((value) => value + radius * (2 * random.next() - 1)));
  const patchOf = new Uint32Array(area);
  for (let y = 0, at = 0; y < height; y++) {
    const first = Math.floor((y * rows) / height) * columns;
    for (let x = 0; x < width; x++) patchOf[at++] = first + Math.floor((x * columns) / width);
  }
  const toPixels = (gone: Uint8Array) => {
    const marks = new Uint8Array(area);
    for (let at = 0; at < area; at++) marks[at] = gone[patchOf[at]!]!;
    return marks;
  };
  return {
    input,
    units: rows * columns,
    grid,
    noisy,
    without: (gone, fill, random) => without(toPixels(gone), fill, random),
    pixels: {
      input,
      units: area,
      grid: [height, width],
      noisy,
      without,
      spread: (relevance) => bilinear(relevance, grid, [height, width]),
      pool: (relevance) => {
        const sums = new Float32Array(rows * columns);
        for (let at = 0; at < area; at++) sums[patchOf[at]!]! += relevance[at]!;
        return sums;
      },
    },
  };
}

/** The usual `toInput`: per-channel mean and deviation. */
export const normaliser =
  (mean: readonly number[], deviation: readonly number[]) =>
  (pixels: Float32Array): Float32Array => {
    const area = pixels.length / mean.length;
    const result = new Float32Array(pixels.length);
    for (let channel = 0, at = 0; channel < mean.length; channel++) {
      const scale = 1 / deviation[channel]!;
      const shift = -mean[channel]! * scale;
      for (const end = at + area; at < end; at++) result[at] = pixels[at]! * scale + shift;
    }
    return result;
  };
