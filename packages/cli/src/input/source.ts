import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Findings } from "vitrail/node";
import type { Sample } from "../explain/sample.js";
import type { ModelFiles } from "../model/folder.js";
import { uniqueStems } from "../output/name.js";
import { problem } from "../problem.js";
import { stemOf } from "./picture.js";
import { PictureReader } from "./picture-sample.js";
import { readTensorSamples } from "./tensor-sample.js";

/** Something to explain that is read when its turn comes. */
export interface Source {
  name: string;
  load(): Promise<Sample[]>;
}

export interface InputFlags {
  tensors?: string;
}

const pictureEndings = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp)$/i;

/** Everything that a command line names as input. */
export async function findSources(
  inputs: readonly string[],
  flags: InputFlags,
  findings: Findings,
  files: ModelFiles,
): Promise<Source[]> {
  const sources: Source[] = [];
  if (flags.tensors !== undefined) {
    const path = flags.tensors;
    sources.push({ name: basename(path), load: () => readTensorSamples(path, findings) });
  }
  const pictures = (await Promise.all(inputs.map(expand))).flat();
  if (pictures.length > 0) {
    const reader = new PictureReader(findings, files);
    const stems = uniqueStems(pictures.map((path) => (path === "-" ? "stdin" : stemOf(path))));
    const load = (path: string, index: number) => async () => [await reader.read(path, stems[index])];
    sources.push(...pictures.map((path, index) => ({ name: path, load: load(path, index) })));
  }
  if (sources.length > 0) return sources;
  const hint = "name a picture, a folder of pictures, - for standard input, or --tensors FILE.safetensors";
  throw problem("E080", { at: "INPUT", why: "there is nothing to explain", try: hint });
}

/** A folder stands for the pictures in it. */
async function expand(input: string): Promise<string[]> {
  if (input === "-" || !existsSync(input) || !(await stat(input)).isDirectory()) return [input];
  const names = (await readdir(input)).filter((name) => pictureEndings.test(name)).sort();
  if (names.length > 0) return names.map((name) => join(input, name));
  throw problem("E081", { at: input, why: "the folder holds no pictures", try: "name the files themselves" });
}
