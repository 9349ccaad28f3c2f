/** Pascal VOC: one XML file per picture with boxes (corners from 1, inclusive). */
import type { Box } from "../model.js";
import { type Folder, readText, stem } from "./file.js";
import { Collector, check, type Loaded, type LoadOptions } from "./loaded.js";
import type { PictureSample, PixelSize } from "./picture-sample.js";

export async function loadPascalVoc(
  folder: Folder,
  { difficult = false, ...options }: LoadOptions & { difficult?: boolean } = {},
): Promise<Loaded<PictureSample>> {
  const files = await folder.list();
  const pictures = new Map(files.filter((path) => !path.endsWith(".xml")).map((path) => [stem(path), path]));
  const rows = new Collector<PictureSample>();
  for (const file of files.filter((path) => path.endsWith(".xml"))) {
    const xml = await readText(folder, file);
    rows.add({ file }, () => {
      check(/<annotation[\s>]/.test(xml) && xml.includes("</annotation>"), "no <annotation> element");
      const name = first(xml, "filename") ?? stem(file);
      const path = pictures.get(stem(name)) ?? pictures.get(stem(file));
      check(path, `no picture for "${name}"`);
      const boxes = new Map<string, Box[]>();
      for (const object of all(xml, "object")) {
        if (first(object, "difficult") === "1" && !difficult) continue;
        const label = first(object.replace(/<part>[\s\S]*?<\/part>/g, ""), "name");
        check(label, "an object has no name");
        boxes.set(label, [...(boxes.get(label) ?? []), readBox(object, label)]);
      }
      return {
        id: path,
        path,
        ...sizeOf(xml),
        labels: [...boxes.keys()],
        regions: Array.from(boxes, ([label, list]) => ({ label, boxes: list })),
      };
    });
  }
  return rows.finish(options);
}

/** `<size>`, unless it is left out or zero. */
function sizeOf(xml: string): { size?: PixelSize } {
  const given = first(xml, "size") ?? "";
  const [width, height] = [Number(first(given, "width")), Number(first(given, "height"))];
  return width > 0 && height > 0 ? { size: { width, height } } : {};
}

function readBox(object: string, label: string): Box {
  const box = first(object, "bndbox") ?? "";
  const [left, top, right, bottom] = ["xmin", "ymin", "xmax", "ymax"].map((tag) =>
    Number(first(box, tag) ?? Number.NaN),
  ) as [number, number, number, number];
  check([left, top, right, bottom].every(Number.isFinite), `the box of "${label}" is incomplete`);
  check(right >= left && bottom >= top, `the box of "${label}" is empty`);
  return { x: left - 1, y: top - 1, width: right - left + 1, height: bottom - top + 1 };
}

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const all = (xml: string, tag: string): string[] =>
  Array.from(xml.matchAll(new RegExp(`<${tag}(?:\\s[^>]*)?>([\\s\\S]*?)</${tag}>`, "g")), (match) => match[1]!);
const first = (xml: string, tag: string): string | undefined =>
  all(xml, tag)[0]
    ?.trim()
    .replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name]!);
