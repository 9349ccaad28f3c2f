/**
 * Settings of transformers' image processors. Every setting is understood, known not to change the pixels, or reported.
 * Source: transformers 4.46, image_processing_utils.py (`get_size_dict`) and the processors' `preprocess` and `resize`.
 */
import {
  type Complain,
  readFilter,
  readFlag,
  readList,
  readNumber,
  readSize,
  type Settings,
  show,
} from "./config-value.js";
import type { Preprocessing, ReadOptions, ResizeRule } from "./preprocessing.js";
import { type Processor, processorKey, processors, refused, type Size } from "./processor.js";

const understood = new Set(
  `do_resize size max_size resample do_center_crop crop_size crop_pct do_rescale rescale_factor do_normalize image_mean image_std
   do_convert_rgb do_pad pad_size do_flip_channel_order default_to_square data_format image_processor_type
   feature_extractor_type processor_class _processor_class`.split(/\s+/),
);
/** Settings for labels, masks, training or the Python side only. */
const irrelevant = new Set(
  `_valid_processor_keys auto_map return_tensors input_data_format device disable_grouping do_reduce_labels reduce_labels
   semantic_loss_ignore_index ignore_index num_labels format do_convert_annotations mask_size mask_pad_size patch_size
   processor_type tokenizer_class return_image_mask model_input_names image_seq_length`.split(/\s+/),
);

/** The steps that an image processor of transformers takes with these settings. */
export function readTransformers(config: Settings, options: ReadOptions, complain: Complain): Preprocessing {
  const name = String(config.image_processor_type ?? config.feature_extractor_type ?? "");
  const key = processorKey(name);
  const ignore = new Set(options.ignore ?? []);
  const warnings: string[] = [];
  const reason = Object.hasOwn(refused, key) ? refused[key] : undefined;
  if (reason) {
    complain(
      "unsupported-processor",
      `${name} is not supported`,
      reason,
      "prepare the tensor yourself and pass it with --tensors",
    );
  }
  const known = Object.hasOwn(processors, key) ? processors[key] : undefined;
  if (!known && !reason) {
    warnings.push(
      `image processor ${name || "without a name"} is not known: its settings are applied as ViTImageProcessor would`,
    );
  }
  const base: Processor = known ?? {
    ...processors.ViT!,
    number: config.default_to_square === false ? "edge" : "square",
  };
  for (const [setting, value] of Object.entries(config)) {
    if (understood.has(setting) || irrelevant.has(setting) || ignore.has(setting)) continue;
    if (value === null || value === false || (setting === "ensure_multiple_of" && value === 1)) continue;
    complain(
      "unsupported-setting",
      `${setting}: ${show(value)} is not understood`,
      "it may change the pixels that the model sees",
      `remove it from preprocessor_config.json if it does not matter, or name it in "ignore"`,
    );
  }
  const flag = (setting: string, otherwise: boolean) => readFlag(setting, config[setting], otherwise, complain);
  const size = readSize("size", config.size ?? base.size, config.max_size, base.number, complain);
  const cropSize = readSize("crop_size", config.crop_size ?? base.crop ?? size, undefined, "square", complain);
  const doCrop = flag("do_center_crop", base.crop !== undefined);
  let crop: Preprocessing["crop"] = null;
  if (doCrop && "height" in cropSize) crop = { height: cropSize.height, width: cropSize.width, rounding: "floor" };
  else if (doCrop && "shortest_edge" in cropSize) {
    crop = { height: cropSize.shortest_edge, width: cropSize.shortest_edge, rounding: "floor" };
  } else if (doCrop)
    complain(
      "bad-setting",
      `crop_size: ${show(config.crop_size)}`,
      "a crop needs a height and a width",
      "correct preprocessor_config.json",
    );
  let resize: ResizeRule | null = null;
  if (flag("do_resize", true)) [resize, crop] = resizeRule(size, crop, base, config.crop_pct, complain);
  const normalize = flag("do_normalize", base.normalize ?? true);
  const channels = options.channels ?? 3;
  let pad: Preprocessing["pad"] = null;
  if (flag("do_pad", key === "Sam")) {
    const fallback = key === "Sam" ? 1024 : null;
    const to = config.pad_size ?? fallback;
    const padSize = to === null ? null : readSize("pad_size", to, undefined, "square", complain);
    if (padSize && "height" in padSize) pad = { height: padSize.height, width: padSize.width };
    else if (padSize)
      complain(
        "bad-setting",
        `pad_size: ${show(to)}`,
        "padding needs a height and a width",
        "correct preprocessor_config.json",
      );
  }
  return {
    source: name || "unnamed",
    channels,
    resize,
    filter: readFilter(config.resample, base.resample, complain),
    crop,
    rescale: flag("do_rescale", true) ? readNumber("rescale_factor", config.rescale_factor, 1 / 255, complain) : null,
    mean: normalize ? readList("image_mean", config.image_mean, base.mean, channels, complain) : null,
    std: normalize ? readList("image_std", config.image_std, base.std, channels, complain) : null,
    pad,
    flipChannels: flag("do_flip_channel_order", base.flipChannels ?? false),
    layout: options.layout ?? (config.data_format === "channels_last" ? "nhwc" : "nchw"),
    warnings,
  };
}

/** What happens to the size and the crop; ConvNext, LeViT and PoolFormer have rules of their own. */
function resizeRule(
  size: Size,
  crop: Preprocessing["crop"],
  base: Processor,
  pct: unknown,
  complain: Complain,
): [ResizeRule | null, Preprocessing["crop"]] {
  if (pct !== undefined && pct !== null && base.rule !== "convnext" && base.rule !== "poolformer") {
    complain(
      "unsupported-setting",
      `crop_pct: ${show(pct)}`,
      "only ConvNext and PoolFormer define it",
      "resize and crop with size and crop_size",
    );
  }
  const share = typeof pct === "number" && pct > 0 ? pct : base.rule === "poolformer" ? 0.9 : 224 / 256;
  if ("height" in size) {
    if (base.rule === "poolformer" && pct !== null) {
      const scaled = { height: Math.trunc(size.height / share), width: Math.trunc(size.width / share) };
      if (size.height === size.width) return [{ kind: "shortest-edge", edge: scaled.height }, crop];
      return [{ kind: "exact", ...scaled }, crop];
    }
    return [{ kind: "exact", height: size.height, width: size.width }, crop];
  }
  if (!("shortest_edge" in size)) return [{ kind: "longest-edge", edge: size.longest_edge }, crop];
  const edge = size.shortest_edge;
  if (base.rule === "convnext") {
    // ConvNext warps at 384 and above; below it resizes to edge / crop_pct and crops the middle
    if (edge >= 384) return [{ kind: "exact", height: edge, width: edge }, null];
    return [
      { kind: "shortest-edge", edge: Math.trunc(edge / share) },
      { height: edge, width: edge, rounding: "floor" },
    ];
  }
  if (base.rule === "levit") return [{ kind: "shortest-edge", edge: Math.trunc((256 / 224) * edge) }, crop];
  if (base.rule === "poolformer" && pct !== null)
    return [{ kind: "shortest-edge", edge: Math.trunc(edge / share) }, crop];
  const longest = size.longest_edge === undefined ? {} : { longest: size.longest_edge };
  return [
    { kind: "shortest-edge", edge, ...longest, ...(base.rule === "detr" ? { rule: "detr" as const } : {}) },
    crop,
  ];
}
