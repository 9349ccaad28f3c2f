/** The model as `--similar-to` reads it: with one vector per input. Which output that is made from, and how. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inspect, type Pooling, withVector } from "vitrail";
import { textMeaning } from "../input/meanings.js";
import type { ModelFiles } from "../model/folder.js";

export interface Embedding {
  bytes: Uint8Array;
  output: string;
  /** How a vector is made, in words. */
  vector: string;
  /** The file itself. */
  source: { sha256: string; bytes: number };
}

export interface EmbeddingOptions {
  output?: string | undefined;
  pooling?: Pooling | undefined;
  /** Whether texts are compared; of pictures the class token stands for all. */
  texts: boolean;
}

export async function embeddingOf(files: ModelFiles, options: EmbeddingOptions): Promise<Embedding> {
  const model = await readFile(files.file);
  const output = options.output ?? usualOutput(model, options.texts);
  const pooling = options.pooling ?? (await trainedPooling(files)) ?? (options.texts ? "mean" : "class");
  const { pooled, ...made } = withVector(model, { output, pooling, mask: maskOf(model, files) });
  const ways: Record<Pooling, string> = {
    mean: `the mean of ${output} over all tokens that are no padding`,
    class: `the first token of ${output}`,
    last: `the last token of ${output}`,
  };
  const vector = pooled
    ? `${ways[pooling]} (pooled after the model), divided by its length`
    : `${output}, divided by its length`;
  const source = { sha256: createHash("sha256").update(model).digest("hex"), bytes: model.length };
  return { ...made, vector, source };
}

/**
 * The output with the fewest axes, as the compiler would choose; but a text's vector is pooled from its tokens' rather than taken
 * from a pooler, which was trained for another task (as sentence-transformers does).
 */
function usualOutput(model: Uint8Array, texts: boolean): string {
  const { outputs, metadata } = inspect(model, { method: "raw-attention" });
  const chosen = metadata?.output ?? outputs[0]!.name;
  const tokens = outputs.find(({ name }) => name === "last_hidden_state");
  return texts && chosen === "pooler_output" && tokens ? tokens.name : chosen;
}

/** The input that tells padding, where it has one. */
function maskOf(model: Uint8Array, { meanings }: ModelFiles): string | undefined {
  const { inputs } = inspect(model, { method: "raw-attention" });
  return inputs.find(({ name }) => textMeaning(name, meanings, "") === "mask")?.name;
}

/** How the model was trained to be pooled, where its folder says so as sentence-transformers writes it. */
async function trainedPooling({ file, tokenizer }: ModelFiles): Promise<Pooling | undefined> {
  const folders = [tokenizer, dirname(file), dirname(dirname(file))].filter((folder) => folder !== undefined);
  const path = folders.map((folder) => join(folder, "1_Pooling", "config.json")).find((path) => existsSync(path));
  if (path === undefined) return undefined;
  const config = JSON.parse(await readFile(path, "utf8")) as Readonly<Record<string, unknown>>;
  if (config.pooling_mode_cls_token === true) return "class";
  if (config.pooling_mode_lasttoken === true) return "last";
  return config.pooling_mode_mean_tokens === true ? "mean" : undefined;
}
