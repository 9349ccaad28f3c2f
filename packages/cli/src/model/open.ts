import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { refuseTooLarge } from "vitrail/node";
import { readMeanings } from "../input/meanings.js";
import { problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { Dtype, Purpose } from "./choose.js";
import { type ModelFiles, openFile, openFolder, readLabels } from "./folder.js";

export interface OpenModelOptions {
  dtype?: Dtype | undefined;
  labels?: string | undefined;
  revision?: string | undefined;
  purpose?: Purpose | undefined;
  /** `--input NAME=WHAT`. */
  input?: readonly string[] | undefined;
}

/** MODEL as people give it: a file, a folder, or a Hub id. */
export async function openModel(model: string, options: OpenModelOptions, terminal: Terminal): Promise<ModelFiles> {
  const meanings = options.input && readMeanings(options.input);
  const files = { ...(await find(model, options, terminal)), ...(meanings && { meanings }) };
  refuseTooLarge((await stat(files.file)).size, files.file);
  if (options.labels === undefined) return files;
  if (!existsSync(options.labels)) {
    throw problem("E081", {
      at: options.labels,
      why: "--labels names a file that is not there",
      try: "check the path",
    });
  }
  return { ...files, labels: (await readLabels(options.labels)) ?? [], labelsFile: options.labels };
}

export const isHubId = (text: string): boolean => /^[\w][\w.-]*\/[\w][\w.-]*$/.test(text);

async function find(model: string, options: OpenModelOptions, terminal: Terminal): Promise<ModelFiles> {
  const { dtype, purpose } = options;
  if (existsSync(model)) {
    return (await stat(model)).isDirectory() ? openFolder(model, undefined, dtype, purpose) : openFile(model, purpose);
  }
  if (isHubId(model) && extname(model) !== ".onnx") {
    const { downloadModel } = await import("./hub.js");
    const folder = await downloadModel(model, options, terminal);
    return openFolder(folder, model, dtype, purpose);
  }
  const hint = "check the path; MODEL is a file, a folder with config.json and onnx/model.onnx, or a Hub id owner/name";
  throw problem("E081", { at: model, why: "there is no such file or folder", try: hint });
}
