import { readFile } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import { diagnostic, VitrailError } from "../../errors.js";
import { readModel } from "../../onnx/model.js";

export interface ExternalFile {
  /** As it stands in the model. */
  path: string;
  data: Uint8Array;
}

/** Reads the files that hold a model's weights where they are not in the model itself. */
export async function externalData(model: Uint8Array, folder: string | undefined): Promise<ExternalFile[]> {
  const paths = externalPaths(model);
  const results = await Promise.all(paths.map((path) => readBeside(path, folder)));
  const problems = results.filter((result) => "code" in result);
  if (problems.length > 0) throw new VitrailError(problems);
  return results.filter((result) => "data" in result);
}

async function readBeside(path: string, folder: string | undefined) {
  const at = `external data "${path}"`;
  if (isAbsolute(path) || normalize(path).startsWith("..")) {
    return diagnostic("E002", "", { at, why: "its path leaves the model's folder", try: "export the model again" });
  }
  if (folder === undefined) {
    const why = "the model was given as bytes";
    return diagnostic("E002", "", { at, why, try: "give the model as a path, or its folder in the options" });
  }
  try {
    return { path, data: await readFile(join(folder, path)) };
  } catch (error) {
    const why = `it cannot be read (${(error as NodeJS.ErrnoException).code})`;
    return diagnostic("E002", "", { at, why, try: "put it beside the model: they belong together" });
  }
}

/** The files, beside the model, that hold some of its weights. */
export function externalPaths(model: Uint8Array): string[] {
  const tensors = readModel(model).graph?.initializer ?? [];
  const locations = tensors.flatMap((tensor) =>
    tensor.externalData.filter((entry) => entry.key === "location").map((entry) => entry.value),
  );
  return [...new Set(locations)];
}
