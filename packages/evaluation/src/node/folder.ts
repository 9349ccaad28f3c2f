import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { type Folder, staysInside } from "../data/file.js";

/** A folder on disk, links followed, files that begin with a dot left out. */
export function diskFolder(root: string): Folder {
  return {
    async list() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
        .map((entry) =>
          join(entry.parentPath ?? entry.path, entry.name)
            .slice(join(root, sep).length)
            .split(sep)
            .join("/"),
        )
        .sort();
    },
    bytes: async (path) => {
      if (!staysInside(path)) throw new RangeError(`${path} leaves the folder of the data`);
      return new Uint8Array(await readFile(join(root, path)));
    },
  };
}
