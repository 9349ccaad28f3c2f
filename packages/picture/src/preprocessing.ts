/** The steps from picture to tensor as data. They come from a file (preprocess-config.ts) and are applied by preprocess.ts. */
import type { Filter } from "./resample.js";

/** How the size after resizing follows from the size of the picture. */
export type ResizeRule =
  | { readonly kind: "exact"; readonly height: number; readonly width: number }
  | { readonly kind: "shortest-edge"; readonly edge: number; readonly longest?: number; readonly rule?: "detr" }
  | { readonly kind: "longest-edge"; readonly edge: number };

/** Everything that turns a picture into a tensor, in the order in which it is applied. Plain data: can be put into JSON. */
export interface Preprocessing {
  /** Where the settings come from: the processor's class, "timm" or "default". */
  readonly source: string;
  /** 3: grey is repeated, alpha is dropped; 1: PIL's grey; 4: alpha as the last one. */
  readonly channels: 1 | 3 | 4;
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
  readonly channels?: 1 | 3 | 4;
  /** The static size of the model's input, where it has one: settings that lead elsewhere are an error. */
  readonly modelSize?: { readonly height: number; readonly width: number };
  /** Settings to accept although they are not understood. */
  readonly ignore?: readonly string[];
}

/** The size of the tensor where it does not depend on the picture, else undefined. */
export function staticSize(settings: Preprocessing): { readonly height: number; readonly width: number } | undefined {
  if (settings.pad) return settings.pad;
  if (settings.crop) return { height: settings.crop.height, width: settings.crop.width };
  return settings.resize?.kind === "exact"
    ? { height: settings.resize.height, width: settings.resize.width }
    : undefined;
}
