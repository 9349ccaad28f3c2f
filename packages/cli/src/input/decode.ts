/**
 * The pixels of a picture file as Pillow's `Image.open(file).convert("RGB")` gives them, which is what models were trained on; upright.
 *
 *   alpha     dropped, not blended
 *   profiles  colour profiles are not applied
 *   CMYK      R = K' - round(C K' / 255) with K' = 255 - K, and so for G of M and B of Y (JPEGs are inverted, as Photoshop writes them)
 *   16 bit    the upper eight; Pillow cuts grey values above 255 off instead, which no picture looks right with: that is said
 *
 * Source: Pillow 11, src/libImaging/Convert.c (`cmyk2rgb`), JpegImagePlugin.py; written anew from the formulas.
 */
import type { Raster } from "@vitrail/picture";
import type { Metadata } from "sharp";

export interface DecodeOptions {
  /** Four channels, opaque where the file says nothing of it. */
  readonly alpha?: boolean;
}

export async function decode(
  bytes: Uint8Array,
  { alpha = false }: DecodeOptions = {},
): Promise<{ raster: Raster; warnings: string[] }> {
  // Loaded when the first picture comes: it is large, and texts do without it.
  const { default: sharp } = await import("sharp");
  const opened = sharp(bytes, { failOn: "error", ignoreIcc: true });
  const metadata = await opened.metadata();
  const upright = opened.autoOrient();
  const cmyk = metadata.space === "cmyk";
  const converted = cmyk
    ? upright.pipelineColourspace("cmyk").toColourspace("cmyk")
    : alpha
      ? upright.toColourspace("srgb").ensureAlpha()
      : upright.toColourspace("srgb").removeAlpha();
  const { data, info } = await converted.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const warnings = warningsOf(metadata);
  if (cmyk) return { raster: { width, height, ...fromCmyk(data, channels, alpha) }, warnings };
  if (channels === 2) return { raster: { width, height, channels: 4, data: fromGreyAlpha(data) }, warnings };
  if (channels !== 1 && channels !== 3 && channels !== 4) throw new Error(`it decodes to ${channels} channels`);
  return { raster: { width, height, channels, data }, warnings };
}

/** a b / 255, rounded. */
function share(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** Of five channels the last is alpha. */
function fromCmyk(data: Uint8Array, channels: number, alpha: boolean): Pick<Raster, "channels" | "data"> {
  const count = data.length / channels;
  const wanted = alpha ? 4 : 3;
  const out = new Uint8Array(count * wanted).fill(255);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels, to += wanted) {
    const white = 255 - data[from + 3]!;
    for (let c = 0; c < 3; c++) out[to + c] = white - share(data[from + c]!, white);
    if (alpha && channels > 4) out[to + 3] = data[from + 4]!;
  }
  return { channels: wanted, data: out };
}

function fromGreyAlpha(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length * 2);
  for (let from = 0, to = 0; from < data.length; from += 2, to += 4) {
    out.fill(data[from]!, to, to + 3);
    out[to + 3] = data[from + 1]!;
  }
  return out;
}

function warningsOf({ space, depth, hasProfile, channels }: Metadata): string[] {
  const notes: string[] = [];
  if (hasProfile && space === "cmyk")
    notes.push("the picture's CMYK profile is not applied: its inks are taken as they are");
  const deep = depth !== undefined && depth !== "uchar";
  if (deep && (channels < 3 || depth !== "ushort"))
    notes.push(`the picture has ${depthName(depth)} per value: the model sees it in 256 steps of its whole range`);
  if (space === "lab" || space === "labs") notes.push("the picture is in Lab colours, which are converted to sRGB");
  return notes;
}

const depthName = (depth: string): string =>
  depth === "ushort" || depth === "short" ? "16 bits" : `"${depth}" numbers`;
