import { problem } from "../problem.js";

/** The file name endings that transformers.js gives to the number formats of a model. */
export const dtypes = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
} as const;

export type Dtype = keyof typeof dtypes;

export const isDtype = (text: string): text is Dtype => Object.hasOwn(dtypes, text);

const places = (name: string) => [`onnx/${name}`, name];

/** The files that one question needs: the model, and the text tower where that is a file of its own. */
export interface Chosen {
  model: string;
  text?: string;
}

/** What is asked of a folder: one model, or one that compares pictures with texts, which may be two files. */
export type Purpose = "model" | "pair";

/** The choice among a folder's files; for a pair `vision_model{suffix}.onnx` and `text_model{suffix}.onnx` will do too. */
export function chooseFiles(paths: readonly string[], where: string, dtype?: Dtype, purpose?: Purpose): Chosen {
  if (purpose !== "pair") return { model: chooseModel(paths, where, dtype) };
  const find = (stem: string) =>
    places(`${stem}${dtypes[dtype ?? "fp32"]}.onnx`).find((place) => paths.includes(place));
  const [vision, text] = [find("vision_model"), find("text_model")];
  if (find("model") === undefined && vision !== undefined && text !== undefined) return { model: vision, text };
  return { model: chooseModel(paths, where, dtype) };
}

/** The model among a folder's files (with forward slashes): `onnx/model{suffix}.onnx`, or the only one there is. */
export function chooseModel(paths: readonly string[], where: string, dtype?: Dtype): string {
  for (const place of places(`model${dtypes[dtype ?? "fp32"]}.onnx`)) if (paths.includes(place)) return place;
  const models = paths.filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path));
  if (!dtype && models.length === 1) return models[0]!;
  if (models.length === 0) {
    const hint = `look for it below onnx-community, or export it: optimum-cli export onnx --model ${where} FOLDER`;
    throw problem("E086", { at: where, why: "it holds no .onnx file", try: hint });
  }
  const why = dtype
    ? `it holds no model of dtype ${dtype} but: ${models.join(", ")}`
    : `it holds several models: ${models.join(", ")}`;
  const pair = models.some((path) => /vision_model/.test(path)) && models.some((path) => /text_model/.test(path));
  const prompts = pair ? 'a picture with --prompt "..." for both towers, ' : "";
  throw problem("E086", { at: where, why, try: `${prompts}--dtype, or the path of one of these files` });
}

/** The files in which a model keeps weights outside of itself, by their usual names. */
export function externalNames(paths: readonly string[], model: string): string[] {
  return paths.filter((path) => path.startsWith(`${model}_data`) || path === `${model}.data`);
}
