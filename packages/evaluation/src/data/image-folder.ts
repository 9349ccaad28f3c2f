/** Pictures in folders named after their classes (`cat/001.jpg`); files at the top have no label. */
import { baseName, type Folder, isPicture } from "./file.js";
import { Collector, check, type Loaded, type LoadOptions } from "./loaded.js";
import type { PictureSample } from "./picture-sample.js";

export async function loadImageFolder(folder: Folder, options?: LoadOptions): Promise<Loaded<PictureSample>> {
  const rows = new Collector<PictureSample>();
  for (const path of await folder.list()) {
    if (baseName(path).startsWith(".")) continue;
    rows.add({ file: path }, () => {
      check(isPicture(path), "not a picture");
      const label = path.includes("/") ? path.split("/").at(-2)! : undefined;
      return { id: path, path, labels: label === undefined ? [] : [label], regions: [] };
    });
  }
  return rows.finish(options);
}
