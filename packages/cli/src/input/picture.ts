import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Raster } from "@vitrail/picture";
import { messageOf, problem, systemMessage } from "../problem.js";

export interface Picture {
  name: string;
  sha256: string;
  raster: Raster;
}

/** Decodes a picture file, or standard input for `-`: upright, sRGB, three channels, alpha dropped. */
export async function readPicture(path: string): Promise<Picture> {
  const bytes = await readBytes(path);
  const name = path === "-" ? "stdin" : basename(path);
  return { name, sha256: createHash("sha256").update(bytes).digest("hex"), raster: await decode(bytes, path) };
}

async function decode(bytes: Buffer, path: string): Promise<Raster> {
  // Loaded when the first picture comes: it is large, and texts do without it.
  const { default: sharp } = await import("sharp");
  try {
    const picture = sharp(bytes, { failOn: "error" }).autoOrient().toColourspace("srgb").removeAlpha();
    const { data, info } = await picture.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 1 && channels !== 3) throw new Error(`it decodes to ${channels} channels`);
    return { width, height, channels, data };
  } catch (error) {
    const hint = "give a JPEG, PNG, WebP, GIF, TIFF or AVIF that a picture viewer can open";
    throw problem("E082", { at: path, why: messageOf(error).split("\n")[0]!, try: hint });
  }
}

async function readBytes(path: string): Promise<Buffer> {
  if (path === "-") return readStandardInput();
  try {
    return await readFile(path);
  } catch (error) {
    throw problem("E081", { at: path, why: systemMessage(error), try: "check the path" });
  }
}

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const stemOf = (name: string): string => basename(name, extname(name));
