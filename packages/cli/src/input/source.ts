import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Combine, UnitKind } from "@vitrail/text";
import type { Findings } from "vitrail/node";
import type { Sample } from "../explain/sample.js";
import type { ModelFiles } from "../model/folder.js";
import { uniqueStems } from "../output/name.js";
import { problem } from "../problem.js";
import { stemOf } from "./picture.js";
import { PictureReader } from "./picture-sample.js";
import { readTensorSamples } from "./tensor-sample.js";
import { readTextFile, type TextInput, TextReader } from "./text-sample.js";

/** Something to explain that is read when its turn comes. */
export interface Source {
  name: string;
  kind: Sample["kind"] | "pair";
  load: () => Promise<Sample[]>;
}

export interface InputFlags {
  text?: string[];
  textPair?: string[];
  unit?: UnitKind;
  combine?: Combine;
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
    ...(inputs.length > 0 ? await pictureSources(await pathsOf(inputs), new PictureReader(findings, files)) : []),
    ...(await textSources(flags, findings, files)),
    ...tensorSources(flags, findings),
  ];
  if (sources.length > 0) return sources;
  throw nothing();
}

function nothing() {
  const hint = 'a picture, a folder of pictures, - for standard input, --text "...", or --tensors FILE.safetensors';
  return problem("E080", { at: "INPUT", why: "there is nothing to explain", try: hint });
}

export const pathsOf = async (inputs: readonly string[]): Promise<string[]> =>
  (await Promise.all(inputs.map(expand))).flat();

export async function pictureSources(paths: readonly string[], reader: PictureReader): Promise<Source[]> {
  const stems = uniqueStems(paths.map((path) => (path === "-" ? "stdin" : stemOf(path))));
  return paths.map((path, index) => {
    return { name: path, kind: "picture", load: async () => [await reader.read(path, stems[index])] };
  });
}

async function textSources(flags: InputFlags, findings: Findings, files: ModelFiles, stem = "text"): Promise<Source[]> {
  const { textFile } = flags;
  const texts = pairsOf(flags);
  const lines = textFile === undefined ? [] : await readTextFile(textFile);
  if (texts.length + lines.length === 0) return [];
  const { unit, combine } = flags;
  const reader = await TextReader.open(findings, files, { ...(unit && { unit }), ...(combine && { combine }) });
  const source = (input: TextInput, own: string): Source => {
    const name = [input.text, ...(input.pair === undefined ? [] : [input.pair])].map(short).join(" | ");
    return { name, kind: "text", load: async () => [reader.read(input, name, own)] };
  };
  return [
    ...texts.map((input, index) => source(input, texts.length === 1 ? stem : `${stem}-${index + 1}`)),
    ...lines.map((input) => source(input, `${stemOf(textFile!)}-${input.line}`)),
  ];
}

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** The n-th --text-pair belongs to the n-th --text. */
function pairsOf({ text = [], textPair }: InputFlags): TextInput[] {
  if (textPair && textPair.length !== text.length) {
    const why = `there are ${textPair.length} for ${text.length} --text`;
    throw problem("E080", { at: "--text-pair", why, try: "one --text-pair for every --text" });
  }
  return text.map((each, index) => ({ text: each, ...(textPair && { pair: textPair[index]! }) }));
}

/** Every input beside every one that it is compared with (`--similar-to`): samples come two by two. */
export async function findPairs(
  inputs: readonly string[],
  flags: InputFlags,
  others: readonly string[],
  findings: Findings,
  files: ModelFiles,
): Promise<Source[]> {
  const texts = await textSources(flags, findings, files);
  if (flags.tensors !== undefined || (texts.length > 0 && inputs.length > 0)) {
    const why = "only texts with texts and pictures with pictures are compared";
    throw problem("E080", { at: "--similar-to", why, try: "--text A --similar-to B, or a.jpg --similar-to b.jpg" });
  }
  if (texts.length > 0) {
    const { unit, combine } = flags;
    const shown = { ...(unit && { unit }), ...(combine && { combine }) };
    return beside(texts, await textSources({ ...shown, text: [...others] }, findings, files, "other"));
  }
  const own = await pathsOf(inputs);
  if (own.length === 0) throw nothing();
  const pictures = await pictureSources([...own, ...(await pathsOf(others))], new PictureReader(findings, files));
  return beside(pictures.slice(0, own.length), pictures.slice(own.length));
}

const beside = (own: readonly Source[], others: readonly Source[]): Source[] =>
  own.flatMap((a) => others.map((b) => ({ ...a, load: async () => [...(await a.load()), ...(await b.load())] })));

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
