/** The formats of data sets: how each is recognised and read. Choices of `--data-format` and their help are made from this list. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Bitmap,
  isPicture,
  type Loaded,
  loadCoco,
  loadEraser,
  loadImageNet,
  loadMaskFolder,
  loadPascalVoc,
  loadSheet,
  loadTextCsv,
  loadTextJsonl,
  type PictureSample,
  type TextOptions,
  type TextSample,
} from "@vitrail/evaluation";
import { diskFolder, openGtsegs } from "@vitrail/evaluation/node";
import { measureSize } from "./check-pictures.js";

/** Where data lie: a file, or a folder with all files below it. */
export interface Place {
  readonly path: string;
  readonly folder: string;
  /** The file's name, where the path is one. */
  readonly file: string | undefined;
  readonly files: readonly string[];
}

interface ReadOptions {
  readonly broken: "fail" | "skip";
  readonly split?: string;
  readonly positions?: "utf-16" | "code-points";
}

interface FormatOf<Kind, Sample> {
  readonly id: string;
  readonly kind: Kind;
  readonly title: string;
  fits(place: Place): boolean;
  load(place: Place, options: ReadOptions): Promise<Loaded<Sample>>;
}

export type Format = FormatOf<"picture", PictureSample> | FormatOf<"text", TextSample>;

const has = ({ files }: Place, pattern: RegExp): boolean => files.some((path) => pattern.test(path));
/** The file itself, or the one of its kind in the folder. */
const only = ({ file, files }: Place, pattern: RegExp): string | undefined => {
  const found = (file === undefined ? files.filter((path) => !path.includes("/")) : [file]).filter((name) =>
    pattern.test(name),
  );
  return found.length === 1 ? found[0] : undefined;
};

const textFile = (
  id: string,
  title: string,
  pattern: RegExp,
  load: (text: string, options: TextOptions) => Loaded<TextSample>,
): Format => ({
  id,
  kind: "text",
  title,
  fits: (place) => only(place, pattern) !== undefined && !has(place, /^docs\//),
  load: async (place, options) => {
    const file = only(place, pattern) ?? place.file ?? "";
    return load(await readText(join(place.folder, file)), { file, ...options });
  },
});

const readText = async (path: string): Promise<string> => (await readFile(path, "utf8")).replace(/^\uFEFF/, "");

/** In the order in which they are tried. */
export const formats: readonly Format[] = [
  {
    id: "gtsegs",
    kind: "picture",
    title: "ImageNet-Segmentation, gtsegs_ijcv.mat",
    fits: ({ file }) => /\.mat$/i.test(file ?? ""),
    load: ({ path }, options) => openGtsegs(path, options),
  },
  {
    id: "coco",
    kind: "picture",
    title: "COCO instances as JSON, pictures in --images",
    fits: ({ file }) => /\.json$/i.test(file ?? ""),
    load: async ({ path, file }, options) => loadCoco(await readText(path), { file: file ?? path, ...options }),
  },
  {
    id: "sheet",
    kind: "picture",
    title: "many pictures in one, crops.json",
    fits: (place) => place.files.includes("crops.json"),
    load: ({ path }, options) => loadSheet(diskFolder(path), { ...options, decode }),
  },
  {
    id: "voc",
    kind: "picture",
    title: "Pascal VOC, one XML file per picture",
    fits: (place) => has(place, /\.xml$/i) && !has(place, /LOC_val_solution\.csv$/),
    load: ({ path }, options) => loadPascalVoc(diskFolder(path), options),
  },
  {
    id: "masks",
    kind: "picture",
    title: "folders images/ and masks/ side by side",
    fits: (place) => has(place, /^images\//) && has(place, /^masks\//),
    load: ({ path }, options) => loadMaskFolder(diskFolder(path), { ...options, decode, measure: measureSize }),
  },
  {
    id: "imagenet",
    kind: "picture",
    title: "ImageNet validation: class folders, val.txt or LOC_val_solution.csv",
    fits: (place) =>
      has(place, /(^|\/)(val|val_labels|ILSVRC2012_val.*)\.txt$/i) || has(place, /LOC_val_solution\.csv$/),
    load: ({ path }, options) => loadImageNet(diskFolder(path), options),
  },
  {
    id: "eraser",
    kind: "text",
    title: "ERASER rationales: docs/ and --split as JSON lines",
    fits: (place) => has(place, /^docs\//),
    load: ({ path }, { split, ...options }) => loadEraser(diskFolder(path), split, options),
  },
  {
    id: "folder",
    kind: "picture",
    title: "pictures in folders named after their classes",
    fits: ({ files }) => files.some(isPicture),
    load: ({ path }, options) => loadImageNet(diskFolder(path), options),
  },
  textFile("jsonl", 'one {"text", "label", "spans"} per line', /\.jsonl$/i, loadTextJsonl),
  textFile("csv", "a header with text, label, spans", /\.csv$/i, loadTextCsv),
];

/** Pixels of a picture in memory: a sheet, or a mask, whose values must stay as they are. */
async function decode(bytes: Uint8Array): Promise<Bitmap> {
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(bytes).removeAlpha().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, data };
}
