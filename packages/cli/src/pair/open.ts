import { score } from "../explain/prediction.js";
import type { ModelConfig, ModelFiles } from "../model/folder.js";
import { openCombined } from "./combined.js";
import type { PairModel, PairOptions } from "./model.js";
import { openSplit } from "./split.js";

/** The model as one file or as two, whichever was found. */
export function openPair(files: ModelFiles, options: PairOptions): Promise<PairModel> {
  return files.textFile === undefined ? openCombined(files, options) : openSplit(files, files.textFile, options);
}

/**
 * What a model says about each prompt. CLIP's logits share one among the prompts; SigLIP judges every prompt by itself; a cosine
 * is no probability, because the scale that was trained with it is in neither file. A final softmax or sigmoid says it itself.
 */
export function scoresOf({ measure, reading }: PairModel, config: ModelConfig | undefined, prompts: readonly string[]) {
  const alone = /^siglip/.test(config?.model_type ?? "");
  const usual = measure === "cosine" ? "value" : alone ? "independent" : "exclusive";
  return (similarities: ArrayLike<number>) => score(similarities, reading ?? { kind: usual }, prompts);
}
