/** COCO instances: one JSON file with boxes and outlines (polygons, run lengths plain or compressed). */
import type { Box } from "../model.js";
import { staysInside } from "./file.js";
import { type BrokenRow, Collector, check, isRecord, type Loaded, type LoadOptions, parseJson } from "./loaded.js";
import { parseRunLengths, polygonMask, runLengthMask } from "./mask-codec.js";
import type { Mask, PictureSample, Region } from "./picture-sample.js";

interface Instance {
  readonly image: number;
  readonly label: string;
  readonly box: Box;
  readonly outline?: unknown;
}

/** `file` names the JSON in messages; pictures are named as the JSON names them. Crowds are left out unless asked for. */
export function loadCoco(
  json: string,
  { file = "instances.json", crowds = false, ...options }: LoadOptions & { file?: string; crowds?: boolean } = {},
): Loaded<PictureSample> {
  const root = parseJson(json);
  check(isRecord(root), "the file holds no object");
  const list = (key: string): unknown[] => (Array.isArray(root[key]) ? root[key] : []);
  const names = new Map<unknown, string>();
  for (const category of list("categories")) if (isRecord(category)) names.set(category.id, String(category.name));

  const instances = new Collector<Instance | undefined>();
  list("annotations").forEach((annotation, index) => {
    instances.add({ file, at: `annotations[${index}]` }, () => readInstance(annotation, names, crowds));
  });
  const read = instances.finish({ broken: "skip" });
  const byImage = new Map<number, Instance[]>();
  for (const instance of read.samples) {
    if (instance) byImage.set(instance.image, [...(byImage.get(instance.image) ?? []), instance]);
  }
  const pictures = new Collector<PictureSample>();
  list("images").forEach((image, index) => {
    pictures.add({ file, at: `images[${index}]` }, () => {
      check(isRecord(image), "no object");
      const { id, file_name: path, width, height } = image;
      check(typeof id === "number" && typeof path === "string", "needs id and file_name");
      check(staysInside(path), "its file_name leaves the folder of the pictures");
      check(Number(width) > 0 && Number(height) > 0, "needs width and height");
      const own = byImage.get(id) ?? [];
      byImage.delete(id);
      const size = { width: Number(width), height: Number(height) };
      for (const { outline } of own) {
        const given = (outline as Partial<{ size: [number, number] }> | undefined)?.size;
        check(
          !given || (given[0] === size.height && given[1] === size.width),
          `run lengths of ${given?.[1]} x ${given?.[0]}, the picture is said to be ${size.width} x ${size.height}`,
        );
      }
      const regions = regionsOf(own, size.width, size.height);
      return { id: path, path, size, labels: regions.map(({ label }) => label), regions };
    });
  });
  const lost: BrokenRow[] = Array.from(byImage.keys(), (id) => ({
    file,
    at: "annotations",
    reason: `no image has id ${id}`,
  }));
  for (const { reason, ...place } of [...read.broken, ...lost])
    pictures.add(place, () => check(false, reason) as never);
  return pictures.finish(options);
}

function readInstance(annotation: unknown, names: ReadonlyMap<unknown, string>, crowds: boolean): Instance | undefined {
  check(isRecord(annotation), "no object");
  if (annotation.iscrowd === 1 && !crowds) return undefined;
  const label = names.get(annotation.category_id);
  check(label !== undefined, `no category has id ${annotation.category_id}`);
  const box = annotation.bbox;
  check(Array.isArray(box) && box.length === 4 && box.every(Number.isFinite), "bbox needs four numbers");
  const [x, y, width, height] = box as [number, number, number, number];
  check(width > 0 && height > 0, "bbox is empty");
  const outline = annotation.segmentation;
  return {
    image: Number(annotation.image_id),
    label,
    box: { x, y, width, height },
    ...(outline !== undefined && { outline: readOutline(outline) }),
  };
}

type Outline = { readonly polygons: number[][] } | { readonly counts: number[]; readonly size: [number, number] };

function readOutline(outline: unknown): Outline {
  if (Array.isArray(outline)) {
    const good = outline.every(
      (part) => Array.isArray(part) && part.length >= 6 && part.length % 2 === 0 && part.every(Number.isFinite),
    );
    check(good, "a polygon needs three points or more");
    return { polygons: outline as number[][] };
  }
  check(isRecord(outline) && Array.isArray(outline.size), "segmentation is neither polygons nor run lengths");
  const counts = typeof outline.counts === "string" ? parseRunLengths(outline.counts) : outline.counts;
  check(Array.isArray(counts) && counts.every((count) => count >= 0), "run lengths are no numbers");
  const [height, width] = outline.size as [number, number];
  check(counts.reduce((sum, count) => sum + count, 0) === width * height, "run lengths do not fill the mask");
  return { counts, size: [height, width] };
}

function regionsOf(instances: readonly Instance[], width: number, height: number): Region[] {
  const byLabel = new Map<string, Instance[]>();
  for (const instance of instances) byLabel.set(instance.label, [...(byLabel.get(instance.label) ?? []), instance]);
  return Array.from(byLabel, ([label, own]) => ({
    label,
    boxes: own.map(({ box }) => box),
    ...(own.every(({ outline }) => outline) && { mask: async () => union(own, width, height) }),
  }));
}

function union(instances: readonly Instance[], width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  for (const { outline } of instances as readonly (Instance & { outline: Outline })[]) {
    const one =
      "polygons" in outline
        ? polygonMask(outline.polygons, width, height)
        : runLengthMask(outline.counts, outline.size[1], outline.size[0]);
    one.data.forEach((value, at) => {
      if (value) data[at] = 1;
    });
  }
  return { width, height, data };
}
