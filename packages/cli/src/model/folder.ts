import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { labelList } from "vitrail/node";
import { readJson, readText } from "../input/file.js";
import type { Meanings } from "../input/meanings.js";
import { problem } from "../problem.js";
import { chooseFiles, type Dtype, type Purpose } from "./choose.js";

/** A model and what lies beside it. */
export interface ModelFiles {
  /** What a person calls it: the folder's name, the file's name, or the Hub id. */
  name: string;
  file: string;
  /** The text tower, where pictures and texts have a file each; `file` is then the vision tower. */
  textFile?: string;
  config?: ModelConfig;
  /** The content of `preprocessor_config.json`. */
  preprocessor?: unknown;
  /** Where `tokenizer.json` and `tokenizer_config.json` lie. */
  tokenizer?: string;
  labels?: readonly string[];
  /** What the caller said of the model's inputs. */
  meanings?: Meanings;
  /** The file that the caller took them from. */
  labelsFile?: string;
}

/** What is read of `config.json`. */
export interface ModelConfig {
  id2label?: Readonly<Record<string, string>>;
  problem_type?: string | null;
  model_type?: string;
  architectures?: readonly string[];
}

/** A folder in the layout that transformers.js uses. */
export async function openFolder(folder: string, name?: string, dtype?: Dtype, purpose?: Purpose): Promise<ModelFiles> {
  const { model, text } = chooseFiles(await listFolder(folder), folder, dtype, purpose);
  const own = name ?? basename(resolve(folder));
  const files = { name: own, file: join(folder, model), ...(text !== undefined && { textFile: join(folder, text) }) };
  return { ...files, ...(await companions([folder])) };
}

/** A single file; what lies beside it, or above its `onnx` folder, belongs to it. */
export async function openFile(file: string, purpose?: Purpose): Promise<ModelFiles> {
  const folder = dirname(resolve(file));
  const text = join(dirname(file), basename(file).replace(/^vision_model/, "text_model"));
  const textFile = purpose === "pair" && text !== join(file) && existsSync(text) ? { textFile: text } : {};
  const folders = basename(folder) === "onnx" ? [folder, dirname(folder)] : [folder];
  return { name: basename(file), file, ...textFile, ...(await companions(folders)) };
}

async function listFolder(folder: string): Promise<string[]> {
  const own = await readdir(folder);
  const inner = join(folder, "onnx");
  const nested = existsSync(inner) && (await stat(inner)).isDirectory() ? await readdir(inner) : [];
  return [...own, ...nested.map((file) => `onnx/${file}`)];
}

async function companions(folders: readonly string[]): Promise<Omit<ModelFiles, "name" | "file">> {
  const find = (name: string) => folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  const config = await readSettings<ModelConfig>(find("config.json"));
  const preprocessor = await readIfThere(find("preprocessor_config.json") ?? find("processor_config.json"));
  const tokenizer = find("tokenizer.json");
  const labels = labelsOf(config) ?? (await readLabels(find("labels.json") ?? find("labels.txt")));
  return {
    ...(config && { config }),
    ...(preprocessor !== undefined && { preprocessor }),
    ...(tokenizer && { tokenizer: dirname(tokenizer) }),
    ...(labels && { labels }),
  };
}

async function readSettings<T>(path: string | undefined): Promise<T | undefined> {
  const value = await readIfThere<T>(path);
  if (path === undefined || (typeof value === "object" && value !== null && !Array.isArray(value))) return value;
  throw problem("E087", { at: path, why: "it holds no settings", try: "mend the file or download the folder again" });
}

const readIfThere = async <T>(path: string | undefined): Promise<T | undefined> =>
  path === undefined ? undefined : readJson<T>(path);

/** More classes than any model has: a number above it would only fill the memory with names that nobody gave. */
const MOST_LABELS = 2 ** 20;

/** The names of `id2label`, a class without one by its number. */
export function labelsOf(config: ModelConfig | undefined, at = "config.json"): string[] | undefined {
  const names: unknown = config?.id2label;
  if (!names) return undefined;
  const damaged = (why: string) => problem("E087", { at, why, try: 'write {"id2label": {"0": "cat", "1": "dog"}}' });
  if (typeof names !== "object") throw damaged("id2label is not a list of names by number");
  for (const index of Object.keys(names)) {
    const shown = JSON.stringify(index.slice(0, 40));
    if (!/^\d+$/.test(index)) throw damaged(`id2label names a class ${shown}, which is no number`);
    if (Number(index) >= MOST_LABELS) throw damaged(`id2label names class ${shown}: at most ${MOST_LABELS} are read`);
  }
  return labelList(names as Record<string, string>);
}

/** A list in JSON, or one label per line: line n is class n - 1, also behind a line that is blank. */
export async function readLabels(path: string | undefined): Promise<string[] | undefined> {
  if (path === undefined) return undefined;
  if (path.endsWith(".json")) {
    const value = await readJson<readonly string[] | Record<string, string>>(path);
    return Array.isArray(value) ? value.map(String) : labelsOf({ id2label: value as Record<string, string> }, path);
  }
  const lines = (await readText(path)).trimEnd().split(/\r?\n/);
  return lines.map((line, index) => line.trim() || `class ${index}`);
}
