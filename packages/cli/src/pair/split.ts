import { createExplainer, type Explainer, type Feeds, toFloat32 } from "vitrail/node";
import { embeddingOf } from "../explain/embedding.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { chunksOf, isTextInput, type PairExplanation, type PairModel, type PairOptions, type Tower } from "./model.js";
import type { Prompts } from "./prompts.js";

/**
 * Two files that each give an embedding. What is explained of one is its product with the other's embedding, both of length one:
 * that embedding is the start (mode `weights`).
 */
export async function openSplit(
  files: ModelFiles,
  textFile: string,
  { explains, output, ...options }: PairOptions,
): Promise<PairModel> {
  const outputs = output?.split(",") ?? [];
  const vision = await openTower(files, outputs[0], options);
  try {
    const text = await openTower({ ...files, file: textFile }, outputs[1], options);
    const wanted = explains === undefined ? undefined : [explains].flat();
    const has = ({ explainer }: EmbeddingTower) => wanted === undefined || wanted.includes(explainer.metadata.explains);
    const towers: Tower[] = [
      ...(has(vision) ? (["picture"] as const) : []),
      ...(has(text) ? (["words"] as const) : []),
    ];
    if (towers.length > 0) return new Split(vision, text, towers);
    await text.explainer.close();
    const names = `${vision.explainer.metadata.explains} and ${text.explainer.metadata.explains}`;
    throw problem("E091", {
      at: `--explains ${wanted!.join(",")}`,
      why: `the inputs are ${names}`,
      try: "one of them",
    });
  } catch (error) {
    await vision.explainer.close();
    throw error;
  }
}

interface EmbeddingTower {
  explainer: Explainer;
  source: PairModel["source"];
}

async function openTower(files: ModelFiles, output: string | undefined, options: PairOptions): Promise<EmbeddingTower> {
  // A tower's pooled output is its embedding: both were trained for each other.
  const { bytes, source, ...made } = await embeddingOf(files, { output, texts: false });
  const explainer = await createExplainer(bytes, { ...options, target: "weights", output: made.output });
  return { explainer, source };
}

class Split implements PairModel {
  readonly measure = "cosine";
  private known: { prompts: Prompts; embeddings: Float32Array[] } | undefined;

  private readonly vision: Explainer;
  private readonly text: Explainer;
  readonly source: PairModel["source"];

  constructor(
    vision: EmbeddingTower,
    text: EmbeddingTower,
    readonly towers: readonly Tower[],
  ) {
    this.vision = vision.explainer;
    this.text = text.explainer;
    this.source = vision.source;
  }

  get pictures() {
    return {
      ...this.vision.findings,
      inputs: this.vision.findings.inputs.filter(({ type }) => type.startsWith("float")),
    };
  }

  get texts() {
    return this.text.findings.inputs.filter(isTextInput);
  }

  async similarities(picture: Feeds, prompts: Prompts): Promise<Float32Array> {
    const own = await this.embedPicture(picture);
    const others = await this.embedPrompts(prompts);
    if (others[0]!.length !== own.length) {
      const why = `"${this.vision.metadata.output}" has ${own.length} numbers, "${this.text.metadata.output}" ${others[0]!.length}`;
      throw problem("E091", { at: "--prompt", why, try: "--output image_embeds,text_embeds" });
    }
    return Float32Array.from(others, (other) => own.reduce((sum, value, i) => sum + value * other[i]!, 0));
  }

  async explain(picture: Feeds, prompts: Prompts, index: number): Promise<PairExplanation> {
    const found: PairExplanation = {};
    if (this.towers.includes("picture")) {
      const other = (await this.embedPrompts(prompts))[index]!;
      found.picture = await this.vision.explain(picture, { target: other });
    }
    if (this.towers.includes("words")) {
      const other = await this.embedPicture(picture);
      found.words = await this.text.explain(prompts.feeds([index]), { target: other });
    }
    return found;
  }

  async close(): Promise<void> {
    await Promise.all([this.vision.close(), this.text.close()]);
  }

  private async embedPicture(picture: Feeds): Promise<Float32Array> {
    return toFloat32((await this.vision.predict(picture))[this.vision.metadata.output]!);
  }

  /** Of length one, as the towers were opened. Prompts stay the same from picture to picture. */
  private async embedPrompts(prompts: Prompts): Promise<Float32Array[]> {
    if (this.known?.prompts !== prompts) this.known = { prompts, embeddings: await this.embedAll(prompts) };
    return this.known.embeddings;
  }

  private async embedAll(prompts: Prompts): Promise<Float32Array[]> {
    const embeddings: Float32Array[] = [];
    for (const indices of chunksOf(prompts.texts.length)) {
      const output = (await this.text.predict(prompts.feeds(indices)))[this.text.metadata.output]!;
      const values = toFloat32(output);
      const size = values.length / indices.length;
      for (const row of indices.keys()) embeddings.push(values.slice(row * size, (row + 1) * size));
    }
    return embeddings;
  }
}
