import { parseContrast, parseTarget, type Wanted } from "../explain/wanted.js";
import { PictureReader } from "../input/picture-sample.js";
import { type InputFlags, pathsOf, pictureSources, type Source } from "../input/source.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import type { PairModel, PairOptions } from "./model.js";
import { openPair, scoresOf } from "./open.js";
import { type PromptFlags, Prompts, readPrompts } from "./prompts.js";
import { PairWork } from "./work.js";

export interface PairFlags extends PromptFlags, InputFlags {
  target?: string[];
  contrast?: string[];
}

/** Pictures against prompts: what is read, who answers, and how it ends. */
export async function setUpPairs(
  inputs: readonly string[],
  flags: PairFlags,
  files: ModelFiles,
  options: PairOptions,
): Promise<{ sources: Source[]; work: PairWork; source: PairModel["source"]; close: () => Promise<void> }> {
  const texts = await readPrompts(flags);
  refuseOthers(inputs, flags);
  const model = await openPair(files, options);
  try {
    const prompts = await Prompts.open(texts, model.texts, files);
    const reader = new PictureReader(model.pictures, files);
    const sources = (await pictureSources(await pathsOf(inputs), reader)).map((source) => ({
      ...source,
      kind: "pair" as const,
    }));
    const wanted = readWanted(flags, texts);
    const work = new PairWork(model, prompts, { wanted, scoresOf: scoresOf(model, files.config, texts) });
    return { sources, work, source: model.source, close: () => model.close() };
  } catch (error) {
    await model.close();
    throw error;
  }
}

function refuseOthers(inputs: readonly string[], { text, textFile, tensors }: PairFlags): void {
  if (inputs.length > 0 && text === undefined && textFile === undefined && tensors === undefined) return;
  const why = inputs.length === 0 ? "there is no picture to compare it with" : "it goes with pictures alone";
  throw problem("E080", { at: "--prompt", why, try: 'vitrail explain MODEL photo.jpg --prompt "a photo of a cat"' });
}

/** A prompt is a class whose label is its text; unless some are named, every prompt is explained. */
function readWanted({ target, contrast = [] }: PairFlags, prompts: readonly string[]): Wanted[] {
  const classes = { labels: prompts, count: prompts.length };
  const every = prompts.map((_, index): Wanted => ({ kind: "class", index }));
  const named = target?.map((text) => parseTarget(text, classes));
  return [...(named ?? (contrast.length > 0 ? [] : every)), ...contrast.map((text) => parseContrast(text, classes))];
}
