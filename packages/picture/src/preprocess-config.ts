/**
 * Reads the `preprocessor_config.json` of a transformers model into explicit steps. Every setting is either understood,
 * known not to change the pixels, or reported: nothing is skipped silently.
 * Source: transformers 4.46, image_processing_utils.py (`get_size_dict`) and the processors' `preprocess`.
 */
import { PictureError, type PictureErrorCode, type Problem } from "./error.js";
import { type Processor, processorKey, processors, refused, type Size } from "./processor.js";
import { type Filter, filterByCode } from "./resample.js";

/** How the size after resizing follows from the size of the picture. */
export type ResizeRule =
  | { readonly kind: "exact"; readonly height: number; readonly width: number }
  | { readonly kind: "shortest-edge"; readonly edge: number; readonly longest?: number; readonly rule?: "detr" }
  | { readonly kind: "longest-edge"; readonly edge: number };

/** Everything that turns a picture into a tensor, in the order in which it is applied. Plain data: can be put into JSON. */
export interface Preprocessing {
  /** Where the settings come from: the processor's class, "timm" or "default". */
  readonly source: string;
  /** 3: grey is repeated, alpha is dropped; 1: PIL's grey. */
  readonly channels: 1 | 3;
  readonly resize: ResizeRule | null;
  readonly filter: Filter;
  /** Centre crop in pixels of the resized picture; a smaller picture is padded with zeros. */
  readonly crop: { readonly height: number; readonly width: number; readonly rounding: "floor" | "half-even" } | null;
  /** Factor on 0..255; null: values stay 0..255. */
  readonly rescale: number | null;
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
  /** Zeros to the right and below, after normalising. */
  readonly pad: { readonly height: number; readonly width: number } | null;
  /** RGB -> BGR. */
  readonly flipChannels: boolean;
  readonly layout: "nchw" | "nhwc";
  /** What a person should know, e.g. that the processor's class is unknown. */
  readonly warnings: readonly string[];
}

export interface ReadOptions {
  /** Layout of the model's input; default "nchw". */
  readonly layout?: "nchw" | "nhwc";
  /** Channels of the model's input; default 3. */
  readonly channels?: 1 | 3;
  /** The static size of the model's input, where it has one: settings that lead elsewhere are an error. */
  readonly modelSize?: { readonly height: number; readonly width: number };
  /** Settings to accept although they are not understood. */
  readonly ignore?: readonly string[];
}

type Settings = Readonly<Record<string, unknown>>;
type Complain = (code: PictureErrorCode, what: string, why: string, hint: string) => void;

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

const isObject = (v: unknown): v is Settings => typeof v === "object" && v !== null && !Array.isArray(v);
const isCount = (v: unknown): v is number => typeof v === "number" && Number.isInteger(v) && v > 0;
const show = (v: unknown) => JSON.stringify(v) ?? String(v);

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
  if (problems.length === 0) checkModelSize(result, options, complain);
  if (problems.length > 0) throw new PictureError(problems);
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

function readTransformers(config: Settings, options: ReadOptions, complain: Complain): Preprocessing {
  const name = String(config.image_processor_type ?? config.feature_extractor_type ?? "");
  const key = processorKey(name);
  const ignore = new Set(options.ignore ?? []);
  const warnings: string[] = [];
  if (refused[key]) {
    complain(
      "unsupported-processor",
      `${name} is not supported`,
      refused[key]!,
      "prepare the tensor yourself and pass it with --tensors",
    );
  }
  const known = processors[key];
  if (!known && !refused[key]) {
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
  const flag = (setting: string, otherwise: boolean) => {
    const v = config[setting];
    if (v === undefined || v === null) return otherwise;
    if (typeof v !== "boolean")
      complain("bad-setting", `${setting}: ${show(v)}`, "it must be true or false", "correct preprocessor_config.json");
    return v === true;
  };
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

/** timm's evaluation transform: edge floor(size / crop_pct), crop rounded half to even as torchvision's `center_crop` does. */
function readTimm(cfg: Settings, options: ReadOptions, complain: Complain): Preprocessing {
  const [channels, height, width] = (
    Array.isArray(cfg.test_input_size) ? cfg.test_input_size : cfg.input_size
  ) as unknown[];
  if ((channels !== 1 && channels !== 3) || !isCount(height) || !isCount(width)) {
    complain(
      "bad-setting",
      `input_size: ${show(cfg.input_size)}`,
      "timm writes [channels, height, width]",
      "correct the settings",
    );
    return defaultPreprocessing({ height: 1, width: 1 });
  }
  const pct = readNumber("crop_pct", cfg.test_crop_pct ?? cfg.crop_pct, 0.875, complain);
  const mode = cfg.crop_mode ?? "center";
  const scaled = { height: Math.floor(height / pct), width: Math.floor(width / pct) };
  let resize: ResizeRule = { kind: "exact", ...scaled };
  if (mode === "center" && height === width) resize = { kind: "shortest-edge", edge: scaled.height };
  else if (mode !== "squash") {
    complain(
      "unsupported-setting",
      `crop_mode: ${show(mode)} at ${height} x ${width}`,
      "only center (square) and squash are implemented",
      "prepare the tensor yourself",
    );
  }
  const named: Record<string, Filter> = {
    bilinear: "bilinear",
    bicubic: "bicubic",
    lanczos: "lanczos",
    nearest: "nearest",
    box: "box",
    hamming: "hamming",
  };
  const filter = named[String(cfg.interpolation ?? "bicubic")];
  if (!filter)
    complain(
      "bad-setting",
      `interpolation: ${show(cfg.interpolation)}`,
      "not a filter of PIL",
      "use bilinear or bicubic",
    );
  const n = options.channels ?? channels;
  return {
    source: "timm",
    channels: n,
    resize,
    filter: filter ?? "bicubic",
    crop: { height, width, rounding: "half-even" },
    rescale: 1 / 255,
    mean: readList("mean", cfg.mean, [0.485, 0.456, 0.406], n, complain),
    std: readList("std", cfg.std, [0.229, 0.224, 0.225], n, complain),
    pad: null,
    flipChannels: false,
    layout: options.layout ?? "nchw",
    warnings: [],
  };
}

function readSize(name: string, value: unknown, max: unknown, number: "square" | "edge", complain: Complain): Size {
  const wrong = (): Size => {
    complain(
      "bad-setting",
      `${name}: ${show(value)}`,
      "a size is a whole number, {height, width}, {shortest_edge} or {longest_edge}",
      "correct preprocessor_config.json",
    );
    return { height: 1, width: 1 };
  };
  const longest = isCount(max) ? { longest_edge: max } : {};
  if (isCount(value))
    return number === "square" ? { height: value, width: value } : { shortest_edge: value, ...longest };
  if (Array.isArray(value)) {
    const [height, width] = value as unknown[];
    return isCount(height) && isCount(width) && value.length === 2 ? { height, width } : wrong();
  }
  if (!isObject(value)) return wrong();
  const { height, width, shortest_edge, longest_edge, ...rest } = value;
  if (Object.keys(rest).length > 0) return wrong();
  if (isCount(height) && isCount(width) && shortest_edge === undefined && longest_edge === undefined)
    return { height, width };
  if (height !== undefined || width !== undefined) return wrong();
  if (isCount(shortest_edge)) {
    if (isCount(longest_edge)) return { shortest_edge, longest_edge };
    return longest_edge === undefined || longest_edge === null ? { shortest_edge, ...longest } : wrong();
  }
  return isCount(longest_edge) && shortest_edge === undefined ? { longest_edge } : wrong();
}

function readFilter(value: unknown, otherwise: Filter, complain: Complain): Filter {
  if (value === undefined || value === null) return otherwise;
  const filter = typeof value === "number" ? filterByCode[value] : undefined;
  if (!filter)
    complain(
      "bad-setting",
      `resample: ${show(value)}`,
      "PIL's filters have the numbers 0 to 5",
      "use 2 (bilinear) or 3 (bicubic)",
    );
  return filter ?? otherwise;
}

function readNumber(name: string, value: unknown, otherwise: number, complain: Complain): number {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  complain("bad-setting", `${name}: ${show(value)}`, "it must be a number above 0", "correct the settings");
  return otherwise;
}

function readList(
  name: string,
  value: unknown,
  otherwise: readonly number[],
  channels: number,
  complain: Complain,
): readonly number[] {
  const list =
    value === undefined || value === null ? otherwise : Array.isArray(value) ? value : Array(channels).fill(value);
  const fits = list.length === channels || (value === undefined && channels === 1);
  const numbers = list.every(
    (v: unknown) => typeof v === "number" && Number.isFinite(v) && (v > 0 || !name.endsWith("std")),
  );
  if (fits && numbers) return list.slice(0, channels);
  complain(
    "bad-setting",
    `${name}: ${show(value)}`,
    `the model takes ${channels} channels, and a deviation must be above 0`,
    "give one number for each channel",
  );
  return Array(channels).fill(1);
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

/** The size of the tensor where it does not depend on the picture, else undefined. */
export function staticSize(settings: Preprocessing): { readonly height: number; readonly width: number } | undefined {
  if (settings.pad) return settings.pad;
  if (settings.crop) return { height: settings.crop.height, width: settings.crop.width };
  return settings.resize?.kind === "exact"
    ? { height: settings.resize.height, width: settings.resize.width }
    : undefined;
}
