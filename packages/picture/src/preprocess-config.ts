/**
 * Reads what a model folder says about preprocessing into explicit steps, or makes steps for a model that says nothing.
 * Nothing is skipped silently: a setting that is not understood is an error that names it.
 */
import { readTimm } from "./config-timm.js";
import { readTransformers } from "./config-transformers.js";
import { type Complain, isObject, show } from "./config-value.js";
import { PictureError, type Problem } from "./error.js";
import { type Preprocessing, type ReadOptions, staticSize } from "./preprocessing.js";

/**
 * Reads a parsed `preprocessor_config.json` (or a `processor_config.json` with `image_processor` inside, or timm's
 * `pretrained_cfg`). Throws a `PictureError` with every problem found.
 */
export function readPreprocessing(config: unknown, options: ReadOptions = {}): Preprocessing {
  const problems: Problem[] = [];
  const complain: Complain = (code, what, why, hint) => problems.push({ code, what, why, try: hint });
  if (!isObject(config)) {
    complain(
      "config-not-an-object",
      `the settings are ${show(config)}`,
      "preprocessor_config.json holds one JSON object",
      "check the file",
    );
    throw new PictureError(problems);
  }
  const inner = isObject(config.image_processor) ? config.image_processor : config;
  const timm = isObject(inner.pretrained_cfg)
    ? inner.pretrained_cfg
    : Array.isArray(inner.input_size)
      ? inner
      : undefined;
  const result = timm ? readTimm(timm, options, complain) : readTransformers(inner, options, complain);
  if (result && problems.length === 0) checkModelSize(result, options, complain);
  if (!result || problems.length > 0) throw new PictureError(problems);
  return result;
}

/**
 * Settings for a model that comes without any: resize to exactly the model's size, bilinear, 0..1, mean and deviation 1/2
 * (what `ViTImageProcessor` does by default). A guess, and it says so in `warnings`.
 */
export function defaultPreprocessing(
  size: { readonly height: number; readonly width: number },
  options: Pick<ReadOptions, "layout" | "channels"> & Partial<Pick<Preprocessing, "mean" | "std" | "filter">> = {},
): Preprocessing {
  const channels = options.channels ?? 3;
  return {
    source: "default",
    channels,
    resize: { kind: "exact", height: size.height, width: size.width },
    filter: options.filter ?? "bilinear",
    crop: null,
    rescale: 1 / 255,
    mean: options.mean === undefined ? Array(channels).fill(0.5) : options.mean,
    std: options.std === undefined ? Array(channels).fill(0.5) : options.std,
    pad: null,
    flipChannels: false,
    layout: options.layout ?? "nchw",
    warnings: ["no preprocessing settings came with the model: resized to its input, mean and deviation 0.5 assumed"],
  };
}

function checkModelSize(settings: Preprocessing, options: ReadOptions, complain: Complain): void {
  const wanted = options.modelSize;
  const given = staticSize(settings);
  if (!wanted || !given || (wanted.height === given.height && wanted.width === given.width)) return;
  complain(
    "size-mismatch",
    `the settings make ${given.height} x ${given.width} (height x width), the model takes ${wanted.height} x ${wanted.width}`,
    "the model's input has a fixed size",
    "use the preprocessor_config.json that belongs to this model",
  );
}
