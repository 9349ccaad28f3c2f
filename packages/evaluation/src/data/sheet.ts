/**
 * Many small pictures in one: a JSON file names the sheet (`sheet`, tiles of `tile` pixels in `columns` columns) and describes each
 * tile in `crops`: `labels` (`present`, `absent`, `uncounted`) and `boxes` in pixels of a picture of `side` pixels, corners [x0, y0, x1, y1].
 * Only a label that is present is explained. The layout of `models/blood-cells/test-split`.
 */
import type { Box } from "../model.js";
import { type Folder, readText } from "./file.js";
import { Collector, check, isRecord, type Loaded, type LoadOptions, parseJson } from "./loaded.js";
import type { Bitmap, PictureSample } from "./picture-sample.js";

export interface SheetOptions extends LoadOptions {
  /** The JSON file in the folder. */
  readonly file?: string;
  decode(bytes: Uint8Array): Promise<Bitmap>;
}

export async function loadSheet(folder: Folder, options: SheetOptions): Promise<Loaded<PictureSample>> {
  const { file = "crops.json", decode } = options;
  const root = parseJson(await readText(folder, file));
  check(isRecord(root) && typeof root.sheet === "string" && Array.isArray(root.crops), `${file} needs sheet and crops`);
  const { sheet, crops } = root;
  const [tile, columns, side] = [root.tile, root.columns, root.side].map(Number) as [number, number, number];
  check(tile > 0 && columns > 0 && side > 0, `${file} needs tile, columns and side`);
  let whole: Promise<Bitmap> | undefined;
  const pixelsOf = async (index: number) => {
    whole ??= folder.bytes(sheet as string).then(decode);
    const bitmap = await whole;
    const rowsNeeded = Math.ceil(crops.length / columns);
    check(
      bitmap.width >= Math.min(columns, crops.length) * tile && bitmap.height >= rowsNeeded * tile,
      `${sheet} is ${bitmap.width} x ${bitmap.height}: too small for ${crops.length} tiles of ${tile} in ${columns} columns`,
    );
    return cut(bitmap, (index % columns) * tile, Math.floor(index / columns) * tile, tile);
  };
  const rows = new Collector<PictureSample>();
  crops.forEach((crop: unknown, index: number) => {
    rows.add({ file, at: `crops[${index}]` }, () => {
      check(isRecord(crop) && isRecord(crop.labels), "needs labels");
      const labels = Object.entries(crop.labels).flatMap(([label, state]) => (state === "present" ? [label] : []));
      const boxes = readBoxes(crop.boxes, tile / side);
      const regions = labels.map((label) => ({
        label,
        boxes: boxes.filter((box) => box.label === label).map(({ box }) => box),
      }));
      const photo = typeof crop.photo === "string" ? `${crop.photo}-` : "";
      return { id: `${photo}${index}`, group: photo || `${index}`, labels, regions, pixels: () => pixelsOf(index) };
    });
  });
  return rows.finish(options);
}

function readBoxes(list: unknown, scale: number): { label: string; box: Box }[] {
  check(Array.isArray(list), "needs boxes");
  return list.map((entry: unknown) => {
    check(isRecord(entry) && Array.isArray(entry.box) && entry.box.every(Number.isFinite), "a box needs four numbers");
    const [left, top, right, bottom] = (entry.box as number[]).map((value) => value * scale) as [
      number,
      number,
      number,
      number,
    ];
    check(right > left && bottom > top, "a box is empty");
    return { label: String(entry.label), box: { x: left, y: top, width: right - left, height: bottom - top } };
  });
}

function cut({ width, channels, data }: Bitmap, left: number, top: number, side: number): Bitmap {
  const rows = Array.from({ length: side }, (_, y) => ((top + y) * width + left) * channels);
  const pixels = new Uint8Array(side * side * channels);
  rows.forEach((start, y) => {
    pixels.set(data.subarray(start, start + side * channels), y * side * channels);
  });
  return { width: side, height: side, channels, data: pixels };
}
