/** Pictures as cases: read and placed as `explain` does it, patches taken away before the model's own normalisation. */
import { join } from "node:path";
import {
  type Bitmap,
  type Part,
  type PictureSample,
  type PixelSize,
  type Placement,
  pictureSubject,
  placeBoxes,
  placeMask,
  placeTruth,
  type Region,
  type Subject,
  type Truth,
} from "@vitrail/evaluation";
import { type Geometry, type Preprocessing, preprocess, type Raster, type RgbRaster } from "@vitrail/picture";
import { type Findings, type Patches, patchGrid, seenRegion } from "vitrail/node";
import { readPicture } from "../input/picture.js";
import { PictureReader } from "../input/picture-sample.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import type { Input } from "./engine.js";

export interface PictureCase {
  readonly subject: Subject<Input>;
  readonly parts?: readonly Part<Input>[];
  /** The picture as the model sees it. */
  readonly seen: RgbRaster;
  truth(regions: readonly Region[]): Promise<Truth>;
}

export class PictureCases {
  private readonly preprocessing: Preprocessing;
  private readonly reader: PictureReader;

  constructor(
    findings: Findings,
    files: ModelFiles,
    private readonly patches: Patches,
    /** The folder in which samples' paths begin. */
    private readonly root: string,
  ) {
    this.reader = new PictureReader(findings, files);
    this.preprocessing = this.reader.preprocessing;
  }

  async read(sample: PictureSample): Promise<PictureCase> {
    const raster =
      sample.path === undefined
        ? await pixelsOf(sample)
        : (await readPicture(join(this.root, sample.path), { alpha: this.preprocessing.channels === 4 })).raster;
    const { data, dims, geometry, seen } = preprocess(raster, this.preprocessing);
    const { width, height } = geometry.tensor;
    const grid = patchGrid(this.patches, { width, height })!;
    const scale = scaleOf(this.preprocessing, width * height);
    const subject = pictureSubject<Input>({
      pixels: scale.toPixels(data),
      channels: this.preprocessing.channels,
      height,
      width,
      grid,
      region: seenRegion(this.patches, grid, { height, width }),
      neutral: scale.neutral,
      values: ({ feeds }) => feeds[this.reader.name]!.data as Float32Array,
      toInput: (pixels) => ({
        feeds: this.reader.feeds(scale.toModel(pixels), dims),
        grid,
        size: [height, width],
      }),
    });
    const size = sample.size ?? geometry.source;
    const parts = sample.parts?.map(({ mask, without }): Part<Input> => {
      const own = mask();
      return {
        mask: placeMask(own, placeTruth(placementOf(geometry), geometry.source, own)),
        without: () => ({
          feeds: this.reader.feeds(preprocess(rasterOf(sample.id, without()), this.preprocessing).data, dims),
          grid,
          size: [height, width],
        }),
      };
    });
    return { subject, seen, ...(parts && { parts }), truth: (regions) => truthOf(regions, size, geometry) };
  }
}

const pixelsOf = async (sample: PictureSample): Promise<Raster> => rasterOf(sample.id, await sample.pixels!());

function rasterOf(id: string, { width, height, channels, data }: Bitmap): Raster {
  if (channels === 1 || channels === 3 || channels === 4) return { width, height, channels, data };
  throw problem("E082", { at: id, why: `it has ${channels} channels`, try: "grey, RGB or RGBA pictures" });
}

/** The way from planes in [0, 1] to the model's input and back: `input = (255 rescale pixel - mean) / std`, channels in the model's order. */
function scaleOf({ channels, layout, mean, std, rescale }: Preprocessing, area: number) {
  const factor = 255 * (rescale ?? 1);
  const slope = Array.from({ length: channels }, (_, c) => factor / (std?.[c] ?? 1));
  const shift = Array.from({ length: channels }, (_, c) => -(mean?.[c] ?? 0) / (std?.[c] ?? 1));
  // Where a channel begins in the model's order, and how far its values lie apart.
  const [begin, step] = layout === "nchw" ? [area, 1] : [1, channels];
  return {
    neutral: slope.map((value, c) => -shift[c]! / value),
    toPixels: (data: Float32Array) => {
      const pixels = new Float32Array(data.length);
      for (let c = 0, at = 0; c < channels; c++) {
        for (let from = c * begin, i = 0; i < area; i++, at++, from += step) {
          pixels[at] = (data[from]! - shift[c]!) / slope[c]!;
        }
      }
      return pixels;
    },
    toModel: (pixels: Float32Array) => {
      const data = new Float32Array(pixels.length);
      for (let c = 0, at = 0; c < channels; c++) {
        const [own, zero] = [slope[c]!, shift[c]!];
        for (let to = c * begin, i = 0; i < area; i++, at++, to += step) data[to] = pixels[at]! * own + zero;
      }
      return data;
    },
  };
}

function placementOf({ tensor: { width, height }, rectangle }: Geometry): Placement {
  const [scaleX, scaleY] = [width / rectangle.width, height / rectangle.height];
  return { scaleX, scaleY, left: rectangle.x * scaleX, top: rectangle.y * scaleY, width, height };
}

/** The union of masks where every region has one, and of boxes where every region has some. */
async function truthOf(regions: readonly Region[], annotated: PixelSize, geometry: Geometry): Promise<Truth> {
  if (regions.length === 0) return {};
  const placement = placementOf(geometry);
  const boxes = placeBoxes(
    regions.flatMap((region) => region.boxes),
    placeTruth(placement, geometry.source, annotated),
  );
  const boxed = regions.every((region) => region.boxes.length > 0);
  if (!regions.every(({ mask }) => mask)) return { boxes };
  const mask = new Uint8Array(placement.width * placement.height);
  for (const region of regions) {
    const own = await region.mask!();
    const placed = placeMask(own, placeTruth(placement, geometry.source, own));
    for (let at = 0; at < mask.length; at++) if (placed[at]) mask[at] = 1;
  }
  return { mask, ...(boxed && { boxes }) };
}
