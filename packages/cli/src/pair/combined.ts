import { VitrailError } from "vitrail";
import { createExplainer, type Explainer, type Feeds, toFloat32 } from "vitrail/node";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import {
  chunksOf,
  isPictureInput,
  isTextInput,
  type PairExplanation,
  type PairModel,
  type PairOptions,
  type Tower,
} from "./model.js";
import type { Prompts } from "./prompts.js";

/** The inputs of both towers, as every exporter calls them. */
const usual = ["pixel_values", "input_ids"];

/** One file that gives a logit for every picture and text. Its compiled form explains both inputs in one run. */
export async function openCombined(files: ModelFiles, options: PairOptions): Promise<PairModel> {
  const explainer = await open(files, options);
  const { findings, metadata } = explainer;
  const named = [metadata, ...(metadata.further ?? [])].map(({ explains }) => explains);
  const pixels = findings.inputs.find(isPictureInput);
  const texts = findings.inputs.filter(
    ({ name, type, dims }) => name !== metadata.target.name && isTextInput({ name, type, dims }),
  );
  if (!pixels || texts.length === 0) {
    await explainer.close();
    throw noPair(files, `its inputs are ${findings.inputs.map(({ name }) => name).join(", ")}`);
  }
  const towers = named.map((name): Tower => (name === pixels.name ? "picture" : "words"));
  return new Combined(explainer, pixels.name, texts, towers);
}

async function open(files: ModelFiles, options: PairOptions): Promise<Explainer> {
  try {
    return await createExplainer(files.file, { explains: usual, ...options });
  } catch (error) {
    const foreign =
      error instanceof VitrailError && error.diagnostics.find(({ code }) => code === "E013" || code === "E032");
    if (!foreign || options.explains !== undefined) throw error;
    throw noPair(files, foreign.why ?? foreign.title);
  }
}

const noPair = ({ name }: ModelFiles, why: string) =>
  problem("E091", {
    at: name,
    why: `it does not compare pictures with texts: ${why}`,
    try: "leave --prompt away, or name the inputs with --explains PICTURES,TEXTS",
  });

class Combined implements PairModel {
  readonly measure = "logit";

  constructor(
    private readonly explainer: Explainer,
    private readonly pixels: string,
    readonly texts: PairModel["texts"],
    readonly towers: readonly Tower[],
  ) {}

  get pictures() {
    const { findings } = this.explainer;
    return {
      ...findings,
      inputs: findings.inputs.filter(({ name }) => name === this.pixels),
      metadata: { ...findings.metadata, explains: this.pixels },
    };
  }

  get source() {
    return this.explainer.metadata.source;
  }

  async similarities(picture: Feeds, prompts: Prompts): Promise<Float32Array> {
    const all = new Float32Array(prompts.texts.length);
    for (const indices of chunksOf(all.length)) {
      const outputs = await this.explainer.predict({ ...picture, ...prompts.feeds(indices) });
      const { output } = this.explainer.metadata;
      const { dims } = outputs[output]!;
      if (dims.length !== 2 || dims[0] !== 1 || dims[1] !== indices.length) {
        const why = `the output "${output}" is [${dims.join(", ")}] for one picture and ${indices.length} prompts`;
        throw problem("E091", { at: "--prompt", why, try: "--output logits_per_image" });
      }
      all.set(toFloat32(outputs[output]!), indices[0]);
    }
    return all;
  }

  async explain(picture: Feeds, prompts: Prompts, index: number): Promise<PairExplanation> {
    const found = await this.explainer.explain({ ...picture, ...prompts.feeds([index]) }, { target: 0 });
    const [own, words] = [
      found.by(this.pixels),
      [found, ...found.further].find(({ metadata }) => metadata.explains !== this.pixels),
    ];
    return { ...(own && { picture: own }), ...(words && { words }) };
  }

  close(): Promise<void> {
    return this.explainer.close();
  }
}
