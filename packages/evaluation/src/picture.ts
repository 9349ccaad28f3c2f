/** Pictures as subjects: patches or pixels can be taken away, before the model's own normalisation. */
import { linearImputer } from "./impute.js";
import type { Box, Fill, Subject } from "./model.js";
import type { Random } from "./random.js";
import { mean } from "./rank.js";
import { bilinear, gaussianBlur, riseBlur } from "./resample.js";

export interface Picture<I> {
  /** Channels, rows, columns; values in [0, 1]. */
  readonly pixels: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Patches: rows and columns of the map. */
  readonly grid: readonly [rows: number, columns: number];
  /** The pixels that the patches see, and over which the grid lies; all of them when not said. */
  readonly region?: Box | undefined;
  /** The value of each channel that the model reads as 0, its mean for most; 0 when not said. */
  readonly neutral?: readonly number[];
  /** The numbers that the model reads of an input. */
  values?(input: I): Float32Array;
  /** From pixels in [0, 1] to the model's input: mean, deviation, layout. The pixels are lent: what is kept of them must be copied. */
  toInput(pixels: Float32Array): I;
}

type PictureSubject<I> = Subject<I> & { readonly pixels: NonNullable<Subject<I>["pixels"]> };

/** Fills that are made once for the whole picture. */
type Standing = Exclude<Fill, "linear" | "drop">;

export function pictureSubject<I>(picture: Picture<I>): PictureSubject<I> {
  const { pixels, channels, height, width, grid, neutral = [], values, toInput } = picture;
  const area = height * width;
  const [rows, columns] = grid;
  const { region = { x: 0, y: 0, height, width } } = picture;
  const input = toInput(pixels);
  const planes = (data: Float32Array) =>
    Array.from({ length: channels }, (_, c) => data.subarray(c * area, (c + 1) * area));
  const impute = linearImputer(height, width);
  const fillings = new Map<Fill, Float32Array>();
  const filling = (fill: Standing): Float32Array => {
    const known = fillings.get(fill) ?? fillingOf[fill](planes(pixels), height, width, neutral);
    fillings.set(fill, known);
    return known;
  };
  // One for all: a thousand altered pictures would keep the garbage collector busier than their making does.
  const altered = new Float32Array(pixels.length);
  const without = (gone: Uint8Array, fill: Fill, random: Random): I => {
    if (fill === "drop") throw new RangeError("a picture's patches cannot be dropped: choose another fill");
    if (fill === "linear") {
      altered.set(pixels);
      impute(planes(altered), gone, random);
    } else {
      replace(pixels, gone, filling(fill), altered);
    }
    return toInput(altered);
  };
  const noisy = (radius: number, random: Random): I =>
    toInput(pixels.map((value) => value + radius * (2 * random.next() - 1)));
  // Pixels that no patch sees go with the nearest one: the model is none the wiser.
  const cell = (at: number, start: number, length: number, cells: number) =>
    Math.min(cells - 1, Math.max(0, Math.floor(((at - start) * cells) / length)));
  const patchOf = new Uint32Array(area);
  for (let y = 0, at = 0; y < height; y++) {
    const first = cell(y, region.y, region.height, rows) * columns;
    for (let x = 0; x < width; x++) patchOf[at++] = first + cell(x, region.x, region.width, columns);
  }
  const marks = new Uint8Array(area);
  const toPixels = (gone: Uint8Array) => {
    for (let start = 0; start < area; start += width) {
      if (start > 0 && patchOf[start] === patchOf[start - width]) marks.copyWithin(start, start - width, start);
      else for (let at = start; at < start + width; at++) marks[at] = gone[patchOf[at]!]!;
    }
    return marks;
  };
  return {
    input,
    units: rows * columns,
    grid,
    noisy,
    ...(values && { values }),
    without: (gone, fill, random) => without(toPixels(gone), fill, random),
    pixels: {
      input,
      units: area,
      grid: [height, width],
      noisy,
      without,
      weighted: (weights) =>
        toInput(
          pixels.map((value, at) => {
            const zero = neutral[Math.floor(at / area)] ?? 0;
            return zero + (value - zero) * weights[at % area]!;
          }),
        ),
      spread: (relevance) => placed(bilinear(relevance, grid, [region.height, region.width]), region, [height, width]),
      pool: (relevance) => {
        const sums = new Float32Array(rows * columns);
        for (let at = 0; at < area; at++) sums[patchOf[at]!]! += relevance[at]!;
        return sums;
      },
    },
  };
}

/** A map of the region as one of the whole picture: nothing beside it. */
function placed(
  map: Float32Array,
  { x, y, height, width }: Box,
  [rows, columns]: readonly [number, number],
): Float32Array {
  if (height === rows && width === columns) return map;
  const whole = new Float32Array(rows * columns);
  for (let row = 0; row < height; row++)
    whole.set(map.subarray(row * width, (row + 1) * width), (y + row) * columns + x);
  return whole;
}

/** What stands in place of pixels, for all of them. */
const fillingOf: Record<
  Standing,
  (planes: readonly Float32Array[], height: number, width: number, neutral: readonly number[]) => Float32Array
> = {
  zero: (planes, height, width) => new Float32Array(planes.length * height * width),
  neutral: (planes, _height, _width, neutral) =>
    joined(planes, (plane, channel) => new Float32Array(plane.length).fill(neutral[channel] ?? 0)),
  mean: (planes) => joined(planes, (plane) => new Float32Array(plane.length).fill(mean(plane))),
  blur: (planes, height, width) => joined(planes, (plane) => gaussianBlur(plane, height, width)),
  "rise-blur": (planes, height, width, neutral) =>
    joined(planes, (plane, channel) => {
      const zero = neutral[channel] ?? 0;
      return riseBlur(
        plane.map((value) => value - zero),
        height,
        width,
      ).map((value) => value + zero);
    }),
};

function joined(
  planes: readonly Float32Array[],
  make: (plane: Float32Array, channel: number) => Float32Array,
): Float32Array {
  const result = new Float32Array(planes.reduce((total, plane) => total + plane.length, 0));
  planes.reduce((at, plane, channel) => {
    result.set(make(plane, channel), at);
    return at + plane.length;
  }, 0);
  return result;
}

/** By a product, because a branch on scattered marks cannot be foreseen. */
function replace(pixels: Float32Array, gone: Uint8Array, filling: Float32Array, result: Float32Array): void {
  for (let at = 0; at < result.length; ) {
    for (let i = 0; i < gone.length; i++, at++) {
      const own = pixels[at]!;
      result[at] = own + (filling[at]! - own) * gone[i]!;
    }
  }
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
