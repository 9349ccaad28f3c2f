/** Pictures and masks side by side: `images/cat/001.jpg` and `masks/cat/001.png`, or with any two folder names. */
import { type Folder, isPicture } from "./file.js";
import { Collector, check, type Loaded, type LoadOptions } from "./loaded.js";
import type { Bitmap, Mask, PictureSample, PixelSize } from "./picture-sample.js";

export interface MaskFolderOptions extends LoadOptions {
  readonly images?: string;
  readonly masks?: string;
  /** Which value of a mask's first channel marks the object; any but 0 when not said. */
  readonly value?: number;
  /** Decodes a PNG; palette masks may come as indices in one channel. */
  decode(bytes: Uint8Array): Promise<Bitmap>;
  /** The size alone; by decoding when not given. */
  measure?(bytes: Uint8Array): Promise<PixelSize>;
}

export async function loadMaskFolder(folder: Folder, options: MaskFolderOptions): Promise<Loaded<PictureSample>> {
  const { images = "images", masks = "masks", value, decode, measure = decode } = options;
  const files = (await folder.list()).filter(isPicture);
  const inside = (path: string, root: string) => path.slice(root.length + 1).replace(/\.[^./]*$/, "");
  const maskOf = new Map(
    files.filter((path) => path.startsWith(`${masks}/`)).map((path) => [inside(path, masks), path]),
  );
  const rows = new Collector<PictureSample>();
  for (const path of files.filter((file) => file.startsWith(`${images}/`))) {
    rows.add({ file: path }, () => {
      const name = inside(path, images);
      const maskPath = maskOf.get(name);
      check(maskPath, `no mask ${masks}/${name}.png`);
      const label = name.includes("/") ? name.split("/").at(-2)! : "object";
      const mask = async () => toMask(await decode(await folder.bytes(maskPath)), value);
      const maskSize = async () => {
        const { width, height } = await measure(await folder.bytes(maskPath));
        return { width, height };
      };
      return { id: name, path, labels: [label], regions: [{ label, boxes: [], mask, maskSize }] };
    });
  }
  return rows.finish(options);
}

/** Marks the pixels of a decoded mask. */
export function toMask({ width, height, channels, data }: Bitmap, value?: number): Mask {
  const marks = Uint8Array.from({ length: width * height }, (_, at) => {
    const own = data[at * channels]!;
    return Number(value === undefined ? own !== 0 : own === value);
  });
  return { width, height, data: marks };
}
