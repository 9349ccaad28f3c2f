import { join } from "node:path";
import { createTokenizer, type TextTokenizer } from "@vitrail/text";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { readJson } from "./file.js";

/** The tokenizer that lies beside a model. */
export async function readTokenizer({ tokenizer: folder, name }: ModelFiles): Promise<TextTokenizer> {
  if (folder === undefined) {
    const hint = "put tokenizer.json beside the model, or give tokens with --tensors";
    throw problem("E091", { at: name, why: "no tokenizer.json lies beside the model", try: hint });
  }
  const tokenizer = await readJson<object>(join(folder, "tokenizer.json"));
  const config = await readJson<object>(join(folder, "tokenizer_config.json")).catch(() => ({}));
  return createTokenizer(tokenizer, config);
}
