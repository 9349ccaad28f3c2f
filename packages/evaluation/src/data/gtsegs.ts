/**
 * ImageNet-Segmentation (`gtsegs_ijcv.mat`, MATLAB 7.3 = HDF5): `/value/img` holds references to pictures, stored [channels, width, height];
 * `/value/gt` holds references to lists of references, the first of which is the mask, stored [width, height].
 */
import { Collector, check, type Loaded, type LoadOptions } from "./loaded.js";
import type { Bitmap, Mask, PictureSample } from "./picture-sample.js";

/** The little that is needed of an HDF5 library (h5wasm fits). */
export interface Hdf5Dataset {
  readonly shape: readonly number[] | null;
  readonly value: unknown;
}
export interface Hdf5File {
  get(path: string): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the library's own reference type
  dereference(reference: any): unknown;
}

const isDataset = (entity: unknown): entity is Hdf5Dataset =>
  typeof entity === "object" && entity !== null && "shape" in entity && "value" in entity;

export function loadGtsegs(
  file: Hdf5File,
  { name = "gtsegs_ijcv.mat", ...options }: LoadOptions & { name?: string } = {},
): Loaded<PictureSample> {
  const references = (path: string): readonly unknown[] => {
    const entity = file.get(path);
    check(isDataset(entity), `${name} has no ${path}: is it the MATLAB 7.3 file?`);
    return [entity.value].flat() as unknown[];
  };
  const pictures = references("/value/img");
  const truths = references("/value/gt");
  const rows = new Collector<PictureSample>();
  pictures.forEach((picture, index) => {
    rows.add({ file: name, at: index + 1 }, () => {
      check(truths[index] !== undefined, "has no mask");
      const image = dataset(file, picture, 3);
      const list = file.dereference(truths[index]);
      check(isDataset(list), "the list of masks cannot be read");
      const mask = dataset(file, [list.value].flat()[0], 2);
      check(
        image.shape![1] === mask.shape![0] && image.shape![2] === mask.shape![1],
        "picture and mask differ in size",
      );
      return {
        id: `${index + 1}`,
        labels: ["object"],
        pixels: async () => toBitmap(image),
        regions: [{ label: "object", boxes: [], mask: async () => toTruth(mask) }],
      };
    });
  });
  return rows.finish(options);
}

function dataset(file: Hdf5File, reference: unknown, rank: number): Hdf5Dataset {
  const entity = reference === undefined ? undefined : file.dereference(reference);
  check(isDataset(entity), "a reference leads nowhere");
  check(entity.shape?.length === rank, `expected ${rank} axes, found ${entity.shape?.length ?? 0}`);
  return entity;
}

/** [channels, width, height] to rows of interleaved channels. */
function toBitmap({ shape, value }: Hdf5Dataset): Bitmap {
  const [channels, width, height] = shape as [number, number, number];
  const source = value as Uint8Array;
  const data = new Uint8Array(source.length);
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) data[(y * width + x) * channels + c] = source[(c * width + x) * height + y]!;
    }
  }
  return { width, height, channels, data };
}

function toTruth({ shape, value }: Hdf5Dataset): Mask {
  const [width, height] = shape as [number, number];
  const source = value as Uint8Array;
  const data = Uint8Array.from({ length: source.length }, (_, at) =>
    Number(source[(at % width) * height + Math.floor(at / width)] === 1),
  );
  return { width, height, data };
}
