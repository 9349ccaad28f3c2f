/** Settings of timm models: `pretrained_cfg` in config.json. Source: timm, data/transforms_factory.py (`transforms_imagenet_eval`). */
import { type Complain, isCount, readList, readNumber, type Settings, show } from "./config-value.js";
import type { Preprocessing, ReadOptions, ResizeRule } from "./preprocessing.js";
import { filterByCode } from "./resample.js";

/**
 * timm's evaluation transform: edge floor(size / crop_pct), crop rounded half to even as torchvision's `center_crop` does.
 * The size for testing counts where the model was exported with it.
 */
export function readTimm(cfg: Settings, options: ReadOptions, complain: Complain): Preprocessing | null {
  const wanted = options.modelSize;
  const same = (size: unknown) => Array.isArray(size) && size[1] === wanted?.height && size[2] === wanted?.width;
  const test = wanted !== undefined && !same(cfg.input_size) && same(cfg.test_input_size);
  const size = test ? cfg.test_input_size : cfg.input_size;
  const [channels, height, width] = (Array.isArray(size) ? size : []) as unknown[];
  if ((channels !== 1 && channels !== 3 && channels !== 4) || !isCount(height) || !isCount(width)) {
    complain(
      "bad-setting",
      `input_size: ${show(cfg.input_size)}`,
      "timm writes [channels, height, width]",
      "correct the settings",
    );
    return null;
  }
  const pct = readNumber("crop_pct", (test ? cfg.test_crop_pct : undefined) ?? cfg.crop_pct, 0.875, complain);
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
  const filter = Object.values(filterByCode).find((name) => name === String(cfg.interpolation ?? "bicubic"));
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
