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
import { readTextFile, TextReader } from "./text-sample.js";

/** Something to explain that is read when its turn comes. */
export interface Source {
  name: string;
  kind: Sample["kind"];
  load: () => Promise<Sample[]>;
}

export interface InputFlags {
  text?: string[];
  textFile?: string;
  tensors?: string;
}

const pictureEndings = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp)$/i;

/** Everything that a command line names as input, in the order pictures, texts, tensors. */
export async function findSources(
  inputs: readonly string[],
  flags: InputFlags,
  findings: Findings,
  files: ModelFiles,
): Promise<Source[]> {
  const sources = [
    ...(await pictureSources(inputs, findings, files)),
    ...(await textSources(flags, findings, files)),
    ...tensorSources(flags, findings),
  ];
  if (sources.length > 0) return sources;
  const hint = 'a picture, a folder of pictures, - for standard input, --text "...", or --tensors FILE.safetensors';
  throw problem("E080", { at: "INPUT", why: "there is nothing to explain", try: hint });
}

async function pictureSources(inputs: readonly string[], findings: Findings, files: ModelFiles): Promise<Source[]> {
  const paths = (await Promise.all(inputs.map(expand))).flat();
  if (paths.length === 0) return [];
  const reader = new PictureReader(findings, files);
  const stems = uniqueStems(paths.map((path) => (path === "-" ? "stdin" : stemOf(path))));
  return paths.map((path, index) => {
    return { name: path, kind: "picture", load: async () => [await reader.read(path, stems[index])] };
  });
}

async function textSources(flags: InputFlags, findings: Findings, files: ModelFiles): Promise<Source[]> {
  const { text = [], textFile } = flags;
  const lines = textFile === undefined ? [] : await readTextFile(textFile);
  if (text.length + lines.length === 0) return [];
  const reader = await TextReader.open(findings, files);
  const source = (content: string, stem: string): Source => {
    const name = content.length > 60 ? `${content.slice(0, 59)}…` : content;
    return { name, kind: "text", load: async () => [reader.read(content, name, stem)] };
  };
  return [
    ...text.map((content, index) => source(content, text.length === 1 ? "text" : `text-${index + 1}`)),
    ...lines.map((content, index) => source(content, `${stemOf(textFile!)}-${index + 1}`)),
  ];
}

function tensorSources({ tensors }: InputFlags, findings: Findings): Source[] {
  if (tensors === undefined) return [];
  return [{ name: basename(tensors), kind: "tensors", load: () => readTensorSamples(tensors, findings) }];
}

/** A folder stands for the pictures in it. */
async function expand(input: string): Promise<string[]> {
  if (input === "-" || !existsSync(input) || !(await stat(input)).isDirectory()) return [input];
  const names = (await readdir(input)).filter((name) => pictureEndings.test(name)).sort();
  if (names.length > 0) return names.map((name) => join(input, name));
  throw problem("E081", { at: input, why: "the folder holds no pictures", try: "name the files themselves" });
}
