/**
 * What each image processor of transformers does when its `preprocessor_config.json` does not say so: defaults, and how a
 * bare number in `size` is meant. Keys are the class names without "ImageProcessor", "ImageProcessorFast" or
 * "FeatureExtractor". Source: transformers 4.46, models/*\/image_processing_*.py (constructor defaults and `resize`).
 */
import type { Filter } from "./resample.js";

export interface Processor {
  /** A bare number: both sides ("square") or the shorter side ("edge"). */
  readonly number: "square" | "edge";
  readonly size: Size;
  readonly resample: Filter;
  readonly crop?: { readonly height: number; readonly width: number };
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** A few processors resize by a rule of their own. */
  readonly rule?: "convnext" | "levit" | "poolformer" | "detr";
  readonly flipChannels?: boolean;
  readonly normalize?: boolean;
}

/** The size forms that transformers knows. */
export type Size =
  | { readonly height: number; readonly width: number }
  | { readonly shortest_edge: number; readonly longest_edge?: number }
  | { readonly longest_edge: number };

const half = [0.5, 0.5, 0.5];
const imagenetMean = [0.485, 0.456, 0.406];
const imagenetStd = [0.229, 0.224, 0.225];
const clipMean = [0.48145466, 0.4578275, 0.40821073];
const clipStd = [0.26862954, 0.26130258, 0.27577711];
const square = (n: number) => ({ height: n, width: n });

const halves = { mean: half, std: half } as const;
const imagenet = { mean: imagenetMean, std: imagenetStd } as const;
const openai = { mean: clipMean, std: clipStd } as const;

const clip: Processor = {
  number: "edge",
  size: { shortest_edge: 224 },
  resample: "bicubic",
  crop: square(224),
  ...openai,
};
const vit: Processor = { number: "square", size: square(224), resample: "bilinear", ...halves };
const deit: Processor = { number: "square", size: square(256), resample: "bicubic", crop: square(224), ...halves };
const mobilenet: Processor = {
  number: "edge",
  size: { shortest_edge: 256 },
  resample: "bilinear",
  crop: square(224),
  ...halves,
};

export const processors: Readonly<Record<string, Processor>> = {
  ViT: vit,
  DeiT: deit,
  Beit: deit,
  CLIP: clip,
  ChineseCLIP: clip,
  Bit: clip,
  ViTHybrid: clip,
  Siglip: { ...vit, resample: "bicubic" },
  Blip: { ...vit, size: square(384), resample: "bicubic", ...openai },
  OwlViT: { ...vit, size: square(768), resample: "bicubic", ...openai },
  DPT: { ...vit, size: square(384), resample: "bicubic" },
  Pvt: { ...vit, ...imagenet },
  Segformer: { ...vit, size: square(512), ...imagenet },
  DINOv3ViT: { ...vit, ...imagenet },
  EfficientFormer: { ...vit, resample: "bicubic", crop: square(224), ...imagenet },
  ConvNext: { number: "edge", size: { shortest_edge: 384 }, resample: "bilinear", ...halves, rule: "convnext" },
  Levit: { ...clip, ...imagenet, rule: "levit" },
  PoolFormer: { ...clip, ...imagenet, rule: "poolformer" },
  MobileNetV1: mobilenet,
  MobileNetV2: mobilenet,
  MobileViT: { ...mobilenet, size: { shortest_edge: 224 }, crop: square(256), flipChannels: true, normalize: false },
  Sam: { number: "square", size: { longest_edge: 1024 }, resample: "bilinear", ...imagenet },
  Detr: {
    number: "edge",
    size: { shortest_edge: 800, longest_edge: 1333 },
    resample: "bilinear",
    ...imagenet,
    rule: "detr",
  },
};

/** Processors that do more than resize, crop, pad, rescale and normalise, and what that is. */
export const refused: Readonly<Record<string, string>> = {
  EfficientNet: "it normalises twice and offsets the rescaled values",
  Flava: "it makes two tensors from one picture",
  GLPN: "it rounds the size down to a multiple of a divisor",
  ImageGPT: "it quantises colours into clusters",
  LayoutLMv2: "it reads the words of a page",
  LayoutLMv3: "it reads the words of a page",
  Owlv2: "it pads to a square with grey and resizes with another library",
  Perceiver: "it crops by a share of the picture before resizing",
  Pix2Struct: "it cuts the picture into a variable number of patches",
  Siglip2: "it cuts the picture into a variable number of patches",
  Vilt: "it resizes to a multiple of a divisor and makes a pixel mask",
  Yolos: "it rounds the size down to a multiple of 16",
};

/** "ViTImageProcessorFast" -> "ViT". */
export function processorKey(name: string): string {
  return name.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, "");
}
