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

/**
 * The model among a folder's files (with forward slashes): `onnx/model{suffix}.onnx`, or the only one there is. A folder
 * may hold a vision and a text model instead of one; `prefer` says which is wanted.
 */
export function chooseModel(
  paths: readonly string[],
  where: string,
  dtype?: Dtype,
  prefer?: "vision" | "text",
): string {
  const suffix = dtypes[dtype ?? "fp32"];
  const stems = ["model", ...(prefer ? [`${prefer}_model`] : [])];
  for (const place of stems.flatMap((stem) => places(`${stem}${suffix}.onnx`))) if (paths.includes(place)) return place;
  const models = paths.filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path));
  if (!dtype && models.length === 1) return models[0]!;
  if (models.length === 0) {
    const hint = "export the model to ONNX, for example with optimum-cli export onnx --model NAME FOLDER";
    throw problem("E086", { at: where, why: "it holds no .onnx file", try: hint });
  }
  const why = dtype
    ? `it holds no model of dtype ${dtype} but: ${models.join(", ")}`
    : `it holds several models: ${models.join(", ")}`;
  throw problem("E086", { at: where, why, try: "--dtype, or the path of one of these files" });
}

/** The files in which a model keeps weights outside of itself, by their usual names. */
export function externalNames(paths: readonly string[], model: string): string[] {
  return paths.filter((path) => path.startsWith(`${model}_data`) || path === `${model}.data`);
}
