import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import type { Raster } from "@vitrail/picture";
import { messageOf, problem } from "../problem.js";
import { type DecodeOptions, decode } from "./decode.js";
import { readBytes } from "./file.js";

export interface Picture {
  name: string;
  sha256: string;
  raster: Raster;
  /** Where a person may expect other pixels. */
  warnings: readonly string[];
}

/** A file of a few bytes may stand for gigabytes of pixels. */
const MOST_PIXELS = 2 ** 27;

/** Pixels that are drawn: colours and files of more take minutes, and nobody sees the difference. */
const MOST_DRAWN = 2 ** 24;

/** A picture as it is drawn on: itself, or a smaller one where it is very large. */
export async function forDrawing(raster: Raster): Promise<Raster> {
  const { width, height, channels, data } = raster;
  if (width * height <= MOST_DRAWN) return raster;
  const { default: sharp } = await import("sharp");
  const across = Math.max(1, Math.floor(width * Math.sqrt(MOST_DRAWN / (width * height))));
  const small = sharp(data, { raw: { width, height, channels }, limitInputPixels: false }).resize({ width: across });
  const { data: pixels, info } = await small
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels, data: pixels };
}

/** Decodes a picture file, or standard input for `-`: upright, one or three channels; with `alpha` four. */
export async function readPicture(path: string, options: DecodeOptions = {}): Promise<Picture> {
  const bytes = path === "-" ? await readStandardInput() : await readBytes(path);
  const name = path === "-" ? "stdin" : basename(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const { default: sharp } = await import("sharp");
  const { width, height } = await sharp(bytes)
    .metadata()
    .catch(() => ({ width: 0, height: 0 }));
  if (width * height > MOST_PIXELS) {
    const why = `it has ${width} x ${height} pixels, and at most ${MOST_PIXELS} are read`;
    throw problem("E082", { at: path, why, try: "make it smaller first: the model sees far fewer" });
  }
  try {
    return { name, sha256, ...(await decode(bytes, options)) };
  } catch (error) {
    const hint = "give a JPEG, PNG, WebP, GIF, TIFF or AVIF that a picture viewer can open";
    throw problem("E082", { at: path, why: messageOf(error).split("\n")[0]!, try: hint });
  }
}

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const stemOf = (name: string): string => basename(name, extname(name));
