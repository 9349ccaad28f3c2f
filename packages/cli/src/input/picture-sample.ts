import {
  defaultPreprocessing,
  type Geometry,
  type Preprocessing,
  preprocess,
  type Raster,
  readPreprocessing,
} from "@vitrail/picture";
import { type Feeds, type Findings, fromFloat32 } from "vitrail/node";
import type { Sample } from "../explain/sample.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { checkMeanings, type Meanings } from "./meanings.js";
import { forDrawing, readPicture, stemOf } from "./picture.js";

export interface PictureSample extends Sample {
  kind: "picture";
  raster: Raster;
  geometry: Geometry;
}

export const isPicture = (sample: Sample): sample is PictureSample => sample.kind === "picture";

type Input = Findings["inputs"][number];

/** Turns picture files into what one model takes. */
export class PictureReader {
  readonly preprocessing: Preprocessing;

  /** The input that takes pictures. */
  private readonly input: Input;

  constructor(findings: Findings, { preprocessor, name, meanings }: ModelFiles) {
    const input = pictureInput(findings, meanings);
    this.input = input;
    const [, second, third, fourth] = input.dims;
    const layout = isChannels(fourth) && !isChannels(second) ? "nhwc" : "nchw";
    const [channels, height, width] = layout === "nhwc" ? [fourth, second, third] : [second, third, fourth];
    const size = typeof height === "number" && typeof width === "number" ? { height, width } : undefined;
    const options = { layout, channels: channels === 1 || channels === 4 ? channels : 3 } as const;
    if (preprocessor !== undefined) {
      const read = readPreprocessing(preprocessor, { ...options, ...(size && { modelSize: size }) });
      this.preprocessing = input.type === "uint8" ? inBytes(read) : read;
    } else if (size) {
      const usual = defaultPreprocessing(size, options);
      this.preprocessing = input.type === "uint8" ? inBytes(usual) : usual;
    } else {
      const why = "it takes pictures of any size, and no preprocessor_config.json lies beside it";
      throw problem("E091", { at: name, why, try: "put preprocessor_config.json beside the model, or use --tensors" });
    }
  }

  /** Of the input that takes pictures. */
  get name(): string {
    return this.input.name;
  }

  /** What the model is fed with; a model of whole numbers gets them rounded. */
  feeds(data: Float32Array, dims: readonly number[]): Feeds {
    return { [this.input.name]: fromFloat32(data, dims, this.input.type) };
  }

  async read(path: string, stem?: string): Promise<PictureSample> {
    const { name, sha256, raster, warnings } = await readPicture(path, {
      alpha: this.preprocessing.channels === 4,
    });
    const { data, dims, geometry } = preprocess(raster, this.preprocessing);
    const drawn = await forDrawing(raster);
    return {
      kind: "picture",
      name,
      stem: stem ?? stemOf(name),
      sha256,
      size: [raster.width, raster.height],
      parts: [this.feeds(data, dims)],
      warnings: [...this.preprocessing.warnings, ...warnings],
      raster: drawn,
      geometry: onPicture(geometry, drawn),
    };
  }
}

const takesPixels = ({ type }: Input): boolean => type === "float32" || type === "uint8";

/** The same geometry on a picture of another size. */
function onPicture(geometry: Geometry, { width, height }: Raster): Geometry {
  const { source, rectangle } = geometry;
  const [x, y] = [width / source.width, height / source.height];
  if (x === 1 && y === 1) return geometry;
  const scaled = {
    x: rectangle.x * x,
    y: rectangle.y * y,
    width: rectangle.width * x,
    height: rectangle.height * y,
  };
  return { ...geometry, source: { width, height }, rectangle: scaled };
}

const isChannels = (dim: number | string | undefined): boolean => dim === 1 || dim === 3 || dim === 4;

/** A model that takes bytes takes them as they are in the picture. */
function inBytes(settings: Preprocessing): Preprocessing {
  const warning = "the model takes whole numbers from 0 to 255: rescaling and normalising are left to it";
  const asked = settings.rescale !== null || settings.mean !== null;
  const warnings = asked && settings.source !== "default" ? [...settings.warnings, warning] : settings.warnings;
  return { ...settings, rescale: null, mean: null, std: null, warnings };
}

/** The one input that was said to hold pixels, or that looks like pictures. */
function pictureInput({ inputs, metadata }: Findings, meanings: Meanings = {}): Input {
  checkMeanings(meanings, inputs);
  const [said] = inputs.filter(({ name }) => meanings[name] === "pixels");
  const explained = said ?? inputs.find(({ name }) => name === metadata.explains);
  if (explained?.dims.length === 4 && takesPixels(explained) && inputs.length === 1) return explained;
  const list = inputs.map(({ name, type, dims }) => `${name}: ${type} [${dims.join(", ")}]`).join("; ");
  const both = inputs.some(({ dims }) => dims.length === 4) && inputs.some(({ type }) => type.startsWith("int"));
  const hint = both
    ? '--prompt "..." for what the picture is compared with'
    : "--text for text, or --tensors FILE.safetensors with a tensor for every input";
  throw problem("E091", { at: "pictures", why: `the model's inputs are ${list}`, try: hint });
}
