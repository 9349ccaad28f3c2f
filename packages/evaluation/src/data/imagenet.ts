/**
 * ImageNet validation as people keep it:
 *   - folders named after synsets (`n01440764/ILSVRC2012_val_00000293.JPEG`): see image-folder.ts, labels are synsets
 *   - flat files with a text file of `name.JPEG index` lines (index from 0, in the order of sorted synsets)
 *   - flat files with `LOC_val_solution.csv` (`ImageId,PredictionString` of `synset x1 y1 x2 y2 ...`): labels and boxes
 */
import type { Box } from "../model.js";
import { parseCsv } from "./csv.js";
import { type Folder, isPicture, readText, stem } from "./file.js";
import { loadImageFolder } from "./image-folder.js";
import { Collector, check, type Loaded, type LoadOptions } from "./loaded.js";
import type { PictureSample } from "./picture-sample.js";

export async function loadImageNet(folder: Folder, options?: LoadOptions): Promise<Loaded<PictureSample>> {
  const files = await folder.list();
  const solution = files.find((path) => path.endsWith("LOC_val_solution.csv"));
  const list = files.find((path) => /(^|\/)(val|val_labels|ILSVRC2012_val.*)\.txt$/i.test(path));
  const pictures = new Map(files.filter(isPicture).map((path) => [stem(path), path]));
  const rows = new Collector<PictureSample>();
  if (solution) {
    for (const { fields, line } of parseCsv(await readText(folder, solution)).slice(1)) {
      rows.add({ file: solution, at: line }, () => {
        const [name = "", prediction = ""] = fields;
        return { ...pictureNamed(pictures, name), ...solved(prediction) };
      });
    }
  } else if (list) {
    (await readText(folder, list)).split(/\r?\n/).forEach((text, index) => {
      if (!text.trim()) return;
      rows.add({ file: list, at: index + 1 }, () => {
        const [name = "", label] = text.trim().split(/\s+/);
        check(label !== undefined && /^\d+$/.test(label), `no class index in "${text}"`);
        return { ...pictureNamed(pictures, stem(name)), labels: [label], regions: [] };
      });
    });
  } else {
    return loadImageFolder(folder, options);
  }
  return rows.finish(options);
}

function pictureNamed(pictures: ReadonlyMap<string, string>, name: string): { id: string; path: string } {
  const path = pictures.get(name);
  check(path, `no picture for "${name}"`);
  return { id: name, path };
}

/** `n01751748 111 108 230 366 n01751748 ...`: corners are inclusive. */
function solved(prediction: string): Pick<PictureSample, "labels" | "regions"> {
  const parts = prediction.trim().split(/\s+/);
  check(parts.length >= 5 && parts.length % 5 === 0, "a prediction is a synset and four numbers");
  const boxes = new Map<string, Box[]>();
  for (let i = 0; i < parts.length; i += 5) {
    const [left, top, right, bottom] = parts.slice(i + 1, i + 5).map(Number) as [number, number, number, number];
    check(right >= left && bottom >= top, `box ${parts.slice(i + 1, i + 5).join(" ")} is empty`);
    const box = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    boxes.set(parts[i]!, [...(boxes.get(parts[i]!) ?? []), box]);
  }
  return { labels: [...boxes.keys()], regions: Array.from(boxes, ([label, list]) => ({ label, boxes: list })) };
}
