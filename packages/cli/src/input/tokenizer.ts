import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTokenizer, type TextTokenizer } from "@vitrail/text";
import type { ModelFiles } from "../model/folder.js";
import { messageOf, problem } from "../problem.js";

/** The tokenizer that lies beside a model. */
export async function readTokenizer({ tokenizer: folder, name }: ModelFiles): Promise<TextTokenizer> {
  if (folder === undefined) {
    const hint = "put tokenizer.json beside the model, or give tokens with --tensors";
    throw problem("E091", { at: name, why: "no tokenizer.json lies beside the model", try: hint });
  }
  const tokenizer = await readJson(join(folder, "tokenizer.json"));
  const config = await readJson(join(folder, "tokenizer_config.json")).catch(() => ({}));
  return createTokenizer(tokenizer, config);
}

async function readJson(path: string): Promise<object> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as object;
  } catch (error) {
    throw problem("E087", { at: path, why: messageOf(error), try: "download the folder again" });
  }
}
