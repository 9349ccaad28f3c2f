import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Raster } from "@vitrail/picture";
import { messageOf, problem, systemMessage } from "../problem.js";
import { type DecodeOptions, decode } from "./decode.js";

export interface Picture {
  name: string;
  sha256: string;
  raster: Raster;
  /** Where a person may expect other pixels. */
  warnings: readonly string[];
}

/** Decodes a picture file, or standard input for `-`: upright, one or three channels; with `alpha` four. */
export async function readPicture(path: string, options: DecodeOptions = {}): Promise<Picture> {
  const bytes = await readBytes(path);
  const name = path === "-" ? "stdin" : basename(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  try {
    return { name, sha256, ...(await decode(bytes, options)) };
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
