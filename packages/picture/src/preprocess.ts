/**
 * From pixels to tensor: resize, centre crop, rescale, normalise, pad; and the geometry that leads back.
 *
 *   tensor[c, y, x] = (float32(pixel * rescale) - mean[c]) / std[c]          in float32, as numpy does it
 *   crop: top = floor((height - crop) / 2); torchvision (timm) rounds that half to even; missing pixels are 0 before rescaling
 *
 * Source: transformers 4.46, image_transforms.py (`resize`, `center_crop`, `rescale`, `normalize`).
 */
import { pictureError } from "./error.js";
import type { Preprocessing, ResizeRule } from "./preprocessing.js";
import { type Pixels, type Raster, type Rectangle, type RgbRaster, toGrey, toRgb, toRgba } from "./raster.js";
import { resample } from "./resample.js";

/** Where the tensor lies on the source picture. */
export interface Geometry {
  /** Size of the source picture in pixels (after EXIF rotation). */
  readonly source: { readonly width: number; readonly height: number };
  /** Size of the tensor in pixels. */
  readonly tensor: { readonly width: number; readonly height: number };
  /**
   * The part of the source picture that the whole tensor shows, in source pixels. Fractional; reaches outside of the picture
   * where the tensor was padded. A map over the tensor is drawn over exactly this rectangle.
   */
  readonly rectangle: Rectangle;
}

/** A part of the tensor (in its pixels) on the source picture. */
export function onSource({ tensor, rectangle }: Geometry, region: Rectangle): Rectangle {
  const [scaleX, scaleY] = [rectangle.width / tensor.width, rectangle.height / tensor.height];
  return {
    x: rectangle.x + region.x * scaleX,
    y: rectangle.y + region.y * scaleY,
    width: region.width * scaleX,
    height: region.height * scaleY,
  };
}

/** A picture as the model takes it. */
export interface Preprocessed {
  /** Row-major, `dims` long. */
  readonly data: Float32Array;
  /** [1, channels, height, width], or [1, height, width, channels] with layout "nhwc". */
  readonly dims: readonly [number, number, number, number];
  readonly geometry: Geometry;
  /** The 8-bit picture that the tensor shows (after resizing, cropping and padding), RGB. */
  readonly seen: RgbRaster;
}

/** Size after resizing, [width, height]; transformers' `get_resize_output_image_size` and DETR's and SAM's own rules. */
export function resizedSize(width: number, height: number, rule: ResizeRule | null): readonly [number, number] {
  if (rule === null) return [width, height];
  if (rule.kind === "exact") return [rule.width, rule.height];
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  const turn = (s: number, l: number): readonly [number, number] => (width <= height ? [s, l] : [l, s]);
  if (rule.kind === "longest-edge") {
    const scale = rule.edge / long;
    return [Math.trunc(width * scale + 0.5), Math.trunc(height * scale + 0.5)];
  }
  const { edge, longest } = rule;
  if (rule.rule === "detr") {
    if (longest === undefined || (long / short) * edge <= longest) return turn(edge, Math.trunc((edge * long) / short));
    const raw = (longest * short) / long;
    return turn(roundHalfEven(raw), Math.trunc((raw * long) / short));
  }
  const newLong = Math.trunc((edge * long) / short);
  if (longest !== undefined && newLong > longest) return turn(Math.trunc((longest * edge) / newLong), longest);
  return turn(edge, newLong);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Turns a picture into the model's input. The picture must be upright (EXIF applied) and sRGB.
 * Throws `bad-raster`, `bad-size` (e.g. an aspect ratio that leaves no pixel).
 */
export function preprocess(picture: Raster, settings: Preprocessing): Preprocessed {
  const converted = { 1: toGrey, 3: toRgb, 4: toRgba }[settings.channels](picture);
  const [width, height] = resizedSize(picture.width, picture.height, settings.resize);
  for (const size of [{ width, height }, settings.crop, settings.pad]) if (size) refuseHuge(size);
  const resized = resample(converted, width, height, settings.filter);
  const crop = settings.crop ?? { width, height, rounding: "floor" as const };
  const offset = (have: number, want: number) =>
    crop.rounding === "half-even" && have >= want ? roundHalfEven((have - want) / 2) : Math.floor((have - want) / 2);
  const left = offset(width, crop.width);
  const top = offset(height, crop.height);
  const cropped = cut(resized, left, top, crop.width, crop.height);
  const to = settings.pad ?? crop;
  if (to.width < crop.width || to.height < crop.height) {
    throw pictureError(
      "bad-size",
      `a picture of ${crop.width} x ${crop.height} cannot be padded to ${to.width} x ${to.height}`,
      "padding only adds pixels",
      "make pad_size at least as large as the resized picture",
    );
  }
  const scaleX = picture.width / width;
  const scaleY = picture.height / height;
  const seen = cut(cropped, 0, 0, to.width, to.height);
  const { channels, layout } = settings;
  return {
    data: toTensor(cropped, to.width, to.height, settings),
    dims: layout === "nchw" ? [1, channels, to.height, to.width] : [1, to.height, to.width, channels],
    geometry: {
      source: { width: picture.width, height: picture.height },
      tensor: { width: to.width, height: to.height },
      rectangle: { x: left * scaleX, y: top * scaleY, width: to.width * scaleX, height: to.height * scaleY },
    },
    seen: toRgb(seen),
  };
}

/** No model sees so much at once: such a size is a mistake in the settings, and would fill the memory. */
const MOST_PIXELS = 2 ** 26;

function refuseHuge({ width, height }: { width: number; height: number }): void {
  if (width * height <= MOST_PIXELS) return;
  throw pictureError(
    "bad-size",
    `the settings make a picture of ${width} x ${height}`,
    `at most ${MOST_PIXELS} pixels are prepared`,
    "correct size, crop_size or pad_size in preprocessor_config.json",
  );
}

/** A part of a picture; what lies outside is black. */
function cut(input: Pixels, left: number, top: number, width: number, height: number): Pixels {
  if (left === 0 && top === 0 && width === input.width && height === input.height) return input;
  const c = input.channels;
  const data = new Uint8Array(width * height * c);
  const from = Math.max(0, left);
  const to = Math.min(input.width, left + width);
  for (let y = Math.max(0, -top); y < Math.min(height, input.height - top) && to > from; y++) {
    const row = (y + top) * input.width;
    data.set(input.data.subarray((row + from) * c, (row + to) * c), (y * width + from - left) * c);
  }
  return { width, height, channels: c, data };
}

function toTensor(image: Pixels, width: number, height: number, settings: Preprocessing): Float32Array {
  const { channels, layout, flipChannels, mean, std, rescale } = settings;
  const out = new Float32Array(width * height * channels);
  const plane = layout === "nchw" ? width * height : 1;
  const step = layout === "nchw" ? 1 : channels;
  for (let c = 0; c < channels; c++) {
    const table = new Float32Array(256);
    for (let v = 0; v < 256; v++) {
      const scaled = rescale === null ? v : Math.fround(v * rescale);
      const centred = mean ? Math.fround(scaled - Math.fround(mean[c]!)) : scaled;
      table[v] = std ? centred / Math.fround(std[c]!) : centred;
    }
    // Alpha stays last.
    const from = flipChannels && c < 3 ? Math.min(channels, 3) - 1 - c : c;
    for (let y = 0; y < image.height; y++) {
      let target = c * plane + y * width * step;
      let p = y * image.width * channels + from;
      for (let x = 0; x < image.width; x++, target += step, p += channels) out[target] = table[image.data[p]!]!;
    }
  }
  return out;
}
