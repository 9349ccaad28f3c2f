import { access, constants, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, normalize, relative } from "node:path";
import { type Diagnostic, diagnostic, VitrailError } from "../../errors.js";
import { readModel } from "../../onnx/model.js";

export interface ExternalFile {
  /** As it stands in the model. */
  readonly path: string;
  readonly data: Uint8Array;
}

/** The files that hold a model's weights where they are not in the model itself: in its folder, and readable. */
export async function externalFiles(model: Uint8Array, folder: string | undefined): Promise<string[]> {
  const extents = externalExtents(model);
  const paths = [...extents.keys()];
  const results = await Promise.all([...extents].map(([path, bytes]) => refusal(path, bytes, folder)));
  const problems = results.filter((result) => result !== undefined);
  if (problems.length > 0) throw new VitrailError(problems);
  return paths;
}

/** Whether links lead out of the folder, as in the cache of the Hub: a runtime that opens files by itself follows none of those. */
export async function leavesFolder(paths: readonly string[], folder: string): Promise<boolean> {
  const home = await realpath(folder);
  const places = await Promise.all(paths.map((path) => realpath(join(folder, path))));
  return places.some((place) => relative(home, place).startsWith(".."));
}

/** The same files with what is in them, for a runtime that does not read them. */
export async function externalData(model: Uint8Array, folder: string | undefined): Promise<ExternalFile[]> {
  const paths = await externalFiles(model, folder);
  return Promise.all(paths.map(async (path) => ({ path, data: await readFile(join(folder!, path)) })));
}

async function refusal(path: string, bytes: number, folder: string | undefined): Promise<Diagnostic | undefined> {
  const at = `external data "${path}"`;
  if (isAbsolute(path) || normalize(path).startsWith("..")) {
    return diagnostic("E002", "", { at, why: "its path leaves the model's folder", try: "export the model again" });
  }
  if (folder === undefined) {
    const why = "the model was given as bytes";
    return diagnostic("E002", "", { at, why, try: "give the model as a path, or its folder in the options" });
  }
  try {
    await access(join(folder, path), constants.R_OK);
    const found = await stat(join(folder, path));
    if (!found.isFile()) return diagnostic("E002", "", { at, why: "it is no file", try: "export the model again" });
    if (found.size >= bytes) return undefined;
    const why = `it is incomplete: it has ${found.size} bytes, and the model reads up to byte ${bytes}`;
    return diagnostic("E002", "", { at, why, try: "download or copy it again" });
  } catch (error) {
    const why = `it cannot be read (${(error as NodeJS.ErrnoException).code})`;
    return diagnostic("E002", "", { at, why, try: "put it beside the model: they belong together" });
  }
}

/** The files, beside the model, that hold some of its weights. */
export const externalPaths = (model: Uint8Array): string[] => [...externalExtents(model).keys()];

/** The same, each with the number of bytes that it must at least have. */
function externalExtents(model: Uint8Array): Map<string, number> {
  const extents = new Map<string, number>();
  for (const { externalData } of readModel(model).graph?.initializer ?? []) {
    const entry = (key: string) => externalData.find((each) => each.key === key)?.value;
    const location = entry("location");
    if (location === undefined) continue;
    const end = Number(entry("offset") ?? 0) + Number(entry("length") ?? 0);
    extents.set(location, Math.max(extents.get(location) ?? 0, end || 0));
  }
  return extents;
}
