/**
 * Looks at every picture's header before anything is measured: a file that is no picture, or one that its mask or boxes do not fit,
 * is a broken row and named once. Pixels are read when a case is measured.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type BrokenRow, brokenReason, mustScale, type PictureSample, type PixelSize } from "@vitrail/evaluation";
import { messageOf } from "../problem.js";

export interface Checked {
  readonly broken: readonly BrokenRow[];
  /** Samples whose truth is scaled to the picture. */
  readonly scaled: number;
}

export async function checkPictures(samples: readonly PictureSample[], root: string): Promise<Checked> {
  const broken: (BrokenRow | undefined)[] = [];
  let [next, scaled] = [0, 0];
  const lane = async () => {
    while (next < samples.length) {
      const index = next++;
      const sample = samples[index]!;
      if (sample.path === undefined) continue;
      try {
        if (await mustScale(sample, await pictureSize(join(root, sample.path)))) scaled++;
      } catch (error) {
        broken[index] = { file: sample.path, reason: brokenReason(error) ?? messageOf(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return { broken: broken.filter((row) => row !== undefined), scaled };
}

/** As a viewer shows it: turned as its EXIF data say. */
async function pictureSize(path: string): Promise<PixelSize> {
  const { default: sharp } = await import("sharp");
  try {
    const { width, height, orientation = 1 } = await sharp(path).metadata();
    return orientation >= 5 ? { width: height, height: width } : { width, height };
  } catch (error) {
    throw new Error(await whyUnread(path, error));
  }
}

async function whyUnread(path: string, error: unknown): Promise<string> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return "there is no such file";
  return bytes.length === 0 ? "the file is empty" : `it is no picture: ${messageOf(error).split("\n")[0]}`;
}

/** The size of a picture in memory, from its header. */
export async function measureSize(bytes: Uint8Array): Promise<PixelSize> {
  const { default: sharp } = await import("sharp");
  const { width, height } = await sharp(bytes).metadata();
  return { width, height };
}
