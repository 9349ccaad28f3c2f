import { VitrailError } from "vitrail";
import {
  createExplainer,
  type Explainer,
  type Explanation,
  type Feeds,
  readingOf,
  scoresFrom,
  type Tensor,
  toFloat32,
} from "vitrail/node";
import { defaultMethod, findMethod } from "../method.js";
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
const usual = ["pixel_values", "input_ids"] as const;

/** One file that gives a logit for every picture and text. Its compiled form explains both inputs in one run. */
export async function openCombined(files: ModelFiles, options: PairOptions): Promise<PairModel> {
  const explainers = await open(files, options);
  const [{ findings, metadata }] = explainers as [Explainer];
  const named = explainers
    .flatMap(({ metadata: own }) => [own, ...(own.further ?? [])])
    .map(({ explains }) => explains);
  const pixels = findings.inputs.find(isPictureInput);
  const texts = findings.inputs.filter((input) => input.name !== metadata.target.name && isTextInput(input));
  if (!pixels || texts.length === 0) {
    await Promise.all(explainers.map((explainer) => explainer.close()));
    throw noPair(files, `its inputs are ${findings.inputs.map(({ name }) => name).join(", ")}`);
  }
  const towers = named.map((name): Tower => (name === pixels.name ? "picture" : "words"));
  return new Combined(explainers, pixels.name, texts, towers);
}

/** The inputs of both towers as they were said (`--input NAME=WHAT`), else as they are usually called. */
function towerInputs({ meanings = {} }: ModelFiles): string[] {
  const said = (what: string) => Object.keys(meanings).find((name) => meanings[name] === what);
  return [said("pixels") ?? usual[0], said("ids") ?? usual[1]];
}

/** Both towers in one file; methods of many runs, which compile nothing, take one input at a time. */
async function open(files: ModelFiles, options: PairOptions): Promise<Explainer[]> {
  const explains = options.explains === undefined ? towerInputs(files) : [options.explains].flat();
  const alone = findMethod(options.method ?? defaultMethod).needs.includes("many forwards");
  const opened: Explainer[] = [];
  try {
    if (alone) for (const name of explains) opened.push(await openAlone(files, options, name));
    else opened.push(await createExplainer(files.file, { ...options, explains }));
    return opened;
  } catch (error) {
    await Promise.all(opened.map((explainer) => explainer.close()));
    const foreign =
      error instanceof VitrailError && error.diagnostics.find(({ code }) => code === "E013" || code === "E032");
    if (!foreign || options.explains !== undefined) throw error;
    throw noPair(files, foreign.why ?? foreign.title);
  }
}

/** Many runs of one text are as many texts in a batch: then the scores of a text must be a row, as in `logits_per_text`. */
async function openAlone(files: ModelFiles, options: PairOptions, explains: string): Promise<Explainer> {
  const explainer = await createExplainer(files.file, { ...options, explains });
  const { inputs, outputs } = explainer.findings;
  if (inputs.some((input) => input.name === explains && isPictureInput(input))) return explainer;
  const known = outputs.find(({ name }) => name === explainer.metadata.output)?.dims ?? [];
  const turned = outputs.find(({ dims }) => dims.length === 2 && dims[0] === known[1] && dims[1] === known[0]);
  await explainer.close();
  if (turned) return createExplainer(files.file, { ...options, explains, output: turned.name });
  throw problem("E091", {
    at: `--method ${options.method}`,
    why: "it runs many texts at once, and the model has no output with a row for each text",
    try: "--explains pixel_values, or another method for the words",
  });
}

const noPair = ({ name }: ModelFiles, why: string) =>
  problem("E091", {
    at: name,
    why: `it does not compare pictures with texts: ${why}`,
    try: "leave --prompt away, or name what compares them: --output, --explains PICTURES,TEXTS",
  });

class Combined implements PairModel {
  readonly measure = "logit";

  constructor(
    private readonly explainers: readonly Explainer[],
    private readonly pixels: string,
    readonly texts: PairModel["texts"],
    readonly towers: readonly Tower[],
  ) {}

  /** Predictions are the same for all. */
  private get explainer(): Explainer {
    return this.explainers[0]!;
  }

  get pictures() {
    const { findings } = this.explainer;
    return {
      ...findings,
      inputs: findings.inputs.filter(({ name }) => name === this.pixels),
      metadata: { ...findings.metadata, explains: this.pixels },
    };
  }

  get reading() {
    const { metadata } = this.explainer;
    return metadata.activation ? readingOf(metadata) : undefined;
  }

  get source() {
    return this.explainer.metadata.source;
  }

  async similarities(picture: Feeds, prompts: Prompts): Promise<Float32Array> {
    const all = new Float32Array(prompts.texts.length);
    // Shares among the prompts of one run: all of them have to be in it.
    const runs = this.reading?.kind === "exclusive" ? [[...all.keys()]] : chunksOf(all.length);
    for (const indices of runs) {
      const outputs = await this.explainer.predict({ ...picture, ...prompts.feeds(indices) });
      const scores = outputs[this.explainer.metadata.output]!;
      this.checkScores(scores, indices.length);
      all.set(this.scoresIn(scores), indices[0]);
    }
    return all;
  }

  private scoresIn(output: Tensor): Float32Array {
    const values = toFloat32(output);
    return this.reading ? scoresFrom(values, this.reading) : values;
  }

  /** One row for the picture, or a row for each text. */
  private checkScores({ dims }: Tensor, texts: number): void {
    if (dims.length === 2 && dims[0]! * dims[1]! === texts && dims.includes(1)) return;
    const { output } = this.explainer.metadata;
    const why = `the output "${output}" is [${dims.join(", ")}] for one picture and ${texts} prompts`;
    throw problem("E091", { at: "--prompt", why, try: "--output logits_per_image" });
  }

  async explain(picture: Feeds, prompts: Prompts, index: number): Promise<PairExplanation> {
    const feeds = { ...picture, ...prompts.feeds([index]) };
    const found: Explanation[] = [];
    for (const explainer of this.explainers) {
      const explanation = await explainer.explain(feeds, { target: 0 });
      found.push(explanation, ...explanation.further);
    }
    const own = found.find(({ metadata }) => metadata.explains === this.pixels);
    const words = found.find(({ metadata }) => metadata.explains !== this.pixels);
    const { logits } = found[0]!;
    this.checkScores(logits, 1);
    // The share of a prompt that is alone says nothing.
    const similarity = this.reading?.kind === "exclusive" ? {} : { similarity: this.scoresIn(logits)[0]! };
    return { ...similarity, ...(own && { picture: own }), ...(words && { words }) };
  }

  async close(): Promise<void> {
    await Promise.all(this.explainers.map((explainer) => explainer.close()));
  }
}
