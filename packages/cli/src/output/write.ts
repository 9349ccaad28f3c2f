import { existsSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { problem, systemMessage } from "../problem.js";

/** Writes under a temporary name first, so that nobody ever sees half a file. Parts are written one after the other. */
export async function writeWhole(path: string, data: Uint8Array | string | readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await makeFolder(dirname(path));
    await writeFile(temporary, data);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw problem("E085", {
      at: path,
      why: systemMessage(error),
      try: "choose another place with -o, or free some space",
    });
  }
}

/** Makes a folder and those above it. Node's own recursion never ends below /proc. */
async function makeFolder(folder: string): Promise<void> {
  if (existsSync(folder) && (await stat(folder)).isDirectory()) return;
  const parent = dirname(folder);
  if (parent !== folder) await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process may have made it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await stat(folder)).isDirectory()) throw error;
  }
}

/** Fails before the work is done rather than after it. */
export async function prepareFolder(folder: string): Promise<void> {
  const probe = join(folder, `.vitrail-${process.pid}.tmp`);
  try {
    await makeFolder(folder);
    await writeFile(probe, "");
    await rm(probe);
  } catch (error) {
    throw problem("E085", { at: folder, why: systemMessage(error), try: "choose another folder with -o" });
  }
}
