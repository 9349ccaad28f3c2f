/**
 * A raster is what a decoder gives and an encoder takes: rows of interleaved 8-bit samples, top left first.
 * Conversions follow PIL's `Image.convert`: L -> RGB copies, RGBA -> RGB drops alpha (it does not composite),
 * RGB -> L is (19595 R + 38470 G + 7471 B + 32768) >> 16 (ITU-R 601-2). CMYK is the decoder's business.
 */
import { pictureError } from "./error.js";

/** `data[(y * width + x) * channels + c]`; 1 = grey, 3 = RGB, 4 = RGBA (not premultiplied). sRGB, EXIF rotation applied. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** A raster whose bytes are a plain Uint8Array. */
export type Pixels = Raster & { readonly data: Uint8Array };

/** A raster with three channels, which is what every drawing function returns. */
export interface RgbRaster extends Raster {
  readonly channels: 3;
  readonly data: Uint8Array;
}

/** Red, green, blue, 0..255. */
export type Rgb = readonly [number, number, number];

/** A rectangle in pixels; may be fractional and may reach outside of the picture. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Checks size and length; throws `bad-raster`. */
export function checkRaster(raster: Raster): void {
  const { width, height, channels, data } = raster;
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!whole || ![1, 3, 4].includes(channels) || data.length !== width * height * channels) {
    throw pictureError(
      "bad-raster",
      `a raster of ${width} x ${height} x ${channels} came with ${data.length} bytes`,
      "width, height and channels (1, 3 or 4) must be whole numbers whose product is the length of the data",
      "decode the picture again, or drop the padding at the end of its rows",
    );
  }
}

/** A new RGB raster filled with one colour (white unless told). */
export function createRgb(width: number, height: number, fill: Rgb = [255, 255, 255]): RgbRaster {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw pictureError(
      "bad-size",
      `cannot make a picture of ${width} x ${height}`,
      "width and height must be whole numbers above 0",
      "check the requested size",
    );
  }
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = fill[0];
    data[i + 1] = fill[1];
    data[i + 2] = fill[2];
  }
  return { width, height, channels: 3, data };
}

/**
 * To three channels. `alpha: "drop"` (default) keeps the colours below transparent pixels, as transformers does;
 * a colour composites over that colour instead. Always a copy, except that an RGB raster of a `Uint8Array` is passed on.
 */
export function toRgb(raster: Raster, alpha: "drop" | Rgb = "drop"): RgbRaster {
  checkRaster(raster);
  const { width, height, channels, data } = raster;
  if (channels === 3 && data instanceof Uint8Array) return { width, height, channels: 3, data };
  const out = new Uint8Array(width * height * 3);
  for (let i = 0, n = width * height; i < n; i++) {
    const a = channels === 4 && alpha !== "drop" ? data[i * 4 + 3]! / 255 : 1;
    for (let c = 0; c < 3; c++) {
      const v = data[i * channels + (channels === 1 ? 0 : c)]!;
      out[i * 3 + c] = a === 1 ? v : Math.round(v * a + (alpha as Rgb)[c]! * (1 - a));
    }
  }
  return { width, height, channels: 3, data: out };
}

/** To four channels: opaque where the picture says nothing of it. */
export function toRgba(raster: Raster): Raster {
  checkRaster(raster);
  const { width, height, channels, data } = raster;
  if (channels === 4) return raster;
  const out = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) out[i * 4 + c] = data[i * channels + (channels === 1 ? 0 : c)]!;
  return { width, height, channels: 4, data: out };
}

/** To one channel, with PIL's fixed-point weights. Alpha is dropped. */
export function toGrey(raster: Raster): Raster {
  checkRaster(raster);
  const { width, height, channels, data } = raster;
  if (channels === 1) return raster;
  const out = new Uint8Array(width * height);
  for (let i = 0, p = 0; i < out.length; i++, p += channels) {
    out[i] = (data[p]! * 19595 + data[p + 1]! * 38470 + data[p + 2]! * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: out };
}
