/**
 * Resampling that gives the pixels of PIL's `Image.resize` for 8-bit pictures.
 *
 *   out[x] = clip8((2^21 + sum_k in[k] W[x, k]) >> 22),  W = round(2^22 w / sum w),  w[k] = f((k - centre + 1/2) / scale)
 *   centre = (x + 1/2) in/out,  scale = max(in/out, 1),  k from trunc(centre - support scale + 1/2) to trunc(centre + ...)
 *
 * Two passes, rounded to 8 bit in between; horizontal first unless the height shrinks by more than twice as many pixels as
 * the width (Pillow 13; earlier versions always go horizontal first, which changes single pixels by 1).
 * RGBA is premultiplied before and divided after, as PIL does. Source: Pillow, src/libImaging/Resample.c and Geometry.c
 * (nearest); written anew from the formulas. Goldens: test/golden/make.py.
 */
import { pictureError } from "./error.js";
import { checkRaster, type Pixels, type Raster } from "./raster.js";

/** PIL's filters by name. */
export type Filter = "nearest" | "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";

/** PIL's numbers, as `preprocessor_config.json` writes them in `resample`. */
export const filterByCode: Readonly<Record<number, Filter>> = {
  0: "nearest",
  1: "lanczos",
  2: "bilinear",
  3: "bicubic",
  4: "box",
  5: "hamming",
};

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const kernels: Record<Exclude<Filter, "nearest">, { support: number; at: (x: number) => number }> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  // 0.54 and 0.46 are float32 constants in PIL, whose sum is not 1
  hamming: {
    support: 1,
    at: (x) => {
      if (x === 0 || Math.abs(x) >= 1) return x === 0 ? 1 : 0;
      return sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI));
    },
  },
  bicubic: {
    support: 2,
    at: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
  lanczos: { support: 3, at: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly stride: number;
  readonly values: Int32Array;
}

function weights(from: number, to: number, filter: Exclude<Filter, "nearest">): Weights {
  const kernel = kernels[filter];
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = kernel.support * filterScale;
  const inverse = 1 / filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const values = new Int32Array(to * stride);
  const w = new Float64Array(stride);
  for (let x = 0; x < to; x++) {
    const centre = (x + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const n = Math.min(from, Math.trunc(centre + support + 0.5)) - low;
    let sum = 0;
    for (let k = 0; k < n; k++) {
      w[k] = kernel.at((k + low - centre + 0.5) * inverse);
      sum += w[k]!;
    }
    for (let k = 0; k < n; k++) {
      const v = (sum === 0 ? w[k]! : w[k]! / sum) * 2 ** 22;
      values[x * stride + k] = Math.trunc(v < 0 ? v - 0.5 : v + 0.5);
    }
    first[x] = low;
    count[x] = n;
  }
  return { first, count, stride, values };
}

/** One pass: every pixel of the result is a weighted sum along one axis, rounded and clipped to 8 bit. */
function pass(input: Pixels, to: number, axis: "x" | "y", filter: Exclude<Filter, "nearest">): Pixels {
  const { width, height, channels, data } = input;
  const w = weights(axis === "x" ? width : height, to, filter);
  const out = axis === "x" ? pixels(to, height, channels) : pixels(width, to, channels);
  const step = axis === "x" ? channels : width * channels;
  let target = 0;
  for (let y = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++) {
      const at = axis === "x" ? x : y;
      const n = w.count[at]!;
      const base = at * w.stride;
      const origin = axis === "x" ? (y * width + w.first[at]!) * channels : (w.first[at]! * width + x) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << 21;
        for (let k = 0, p = origin + c; k < n; k++, p += step) sum += data[p]! * w.values[base + k]!;
        const v = sum >> 22;
        out.data[target++] = v < 0 ? 0 : Math.min(v, 255);
      }
    }
  }
  return out;
}

function pixels(width: number, height: number, channels: 1 | 3 | 4): Pixels {
  return { width, height, channels, data: new Uint8Array(width * height * channels) };
}

/** PIL steps through the picture by adding the scale up, rounding errors included. */
function nearest(input: Raster, width: number, height: number): Pixels {
  const positions = (from: number, to: number) => {
    const step = from / to;
    const out = new Int32Array(to);
    for (let i = 0, at = step * 0.5; i < to; i++, at += step) out[i] = Math.min(from - 1, Math.trunc(at));
    return out;
  };
  const xs = positions(input.width, width);
  const ys = positions(input.height, height);
  const out = pixels(width, height, input.channels);
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const p = (ys[y]! * input.width + xs[x]!) * input.channels;
      for (let c = 0; c < input.channels; c++) out.data[target++] = input.data[p + c]!;
    }
  }
  return out;
}

function premultiply(input: Raster): Pixels {
  const out = pixels(input.width, input.height, 4);
  for (let p = 0; p < out.data.length; p += 4) {
    const a = input.data[p + 3]!;
    for (let c = 0; c < 3; c++) {
      const t = input.data[p + c]! * a + 128;
      out.data[p + c] = ((t >> 8) + t) >> 8;
    }
    out.data[p + 3] = a;
  }
  return out;
}

function unpremultiply(input: Pixels): Pixels {
  for (let p = 0; p < input.data.length; p += 4) {
    const a = input.data[p + 3]!;
    if (a === 0 || a === 255) continue;
    for (let c = 0; c < 3; c++) input.data[p + c] = Math.min(255, Math.trunc((255 * input.data[p + c]!) / a));
  }
  return input;
}

/**
 * Resizes a picture to `width` x `height` pixels. The number of channels stays; the result is always a copy.
 * Throws `bad-raster` and `bad-size`.
 */
export function resample(input: Raster, width: number, height: number, filter: Filter): Pixels {
  checkRaster(input);
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw pictureError(
      "bad-size",
      `cannot resize a picture of ${input.width} x ${input.height} to ${width} x ${height}`,
      "both sides must be whole numbers above 0",
      "check the aspect ratio of the picture and the size in the preprocessing settings",
    );
  }
  if (width === input.width && height === input.height) return { ...input, data: new Uint8Array(input.data) };
  if (filter === "nearest") return nearest(input, width, height);
  const { buffer, byteOffset, length } = input.data;
  let image: Pixels =
    input.channels === 4 ? premultiply(input) : { ...input, data: new Uint8Array(buffer, byteOffset, length) };
  const shrink = input.height - height;
  const order: ("x" | "y")[] = shrink > 0 && shrink > (input.width - width) * 2 ? ["y", "x"] : ["x", "y"];
  for (const axis of order) {
    const to = axis === "x" ? width : height;
    if ((axis === "x" ? image.width : image.height) !== to) image = pass(image, to, axis, filter);
  }
  return input.channels === 4 ? unpremultiply(image) : image;
}
