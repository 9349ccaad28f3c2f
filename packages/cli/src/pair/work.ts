import type { Encoding } from "@vitrail/text";
import type { Explanation } from "vitrail/node";
import { contrastOf } from "../explain/contrast.js";
import type { Scored } from "../explain/prediction.js";
import type { Sample } from "../explain/sample.js";
import type { Wanted } from "../explain/wanted.js";
import { type Answer, type Answerer, type ClassOrContrast, chosenFrom, distinct, type Part } from "../explain/work.js";
import { problem } from "../problem.js";
import type { PairExplanation, PairModel } from "./model.js";
import type { Prompts } from "./prompts.js";

/** The words of one prompt, and how far each of them brings it to the picture. */
export interface PromptWords {
  prompt: string;
  encoding: Encoding;
  values: Float64Array;
  warnings: readonly string[];
}

export interface PairWorkOptions {
  wanted: readonly Wanted[];
  scoresOf(similarities: Float32Array): Scored[];
}

const cosineNote = "scores are cosine similarities: the scale that turns them into probabilities is in neither file";

/** Every prompt is a class. */
const PROMPTS = { axes: ["class"], classAt: 0 } as const;

/** A prompt may be asked for twice, by itself and in a contrast: it is explained once. */
type Ask = (index: number) => Promise<PairExplanation>;

/** Explains pictures by prompts: every prompt is a question of its own, so that no other prompt changes its map. */
export class PairWork implements Answerer {
  constructor(
    private readonly model: PairModel,
    private readonly prompts: Prompts,
    private readonly options: PairWorkOptions,
  ) {}

  async answer(samples: readonly Sample[]): Promise<Answer[][]> {
    const pages: Answer[][] = [];
    for (const sample of samples) pages.push(await this.answerOne(sample));
    return pages;
  }

  private async answerOne(sample: Sample): Promise<Answer[]> {
    const picture = sample.parts[0]!;
    const { wanted, scoresOf } = this.options;
    const asked = new Map<number, PairExplanation>();
    const ask: Ask = async (index) => {
      const known = asked.get(index) ?? (await this.model.explain(picture, this.prompts, index));
      asked.set(index, known);
      return known;
    };
    const ranks = wanted.some(({ kind }) => kind === "top");
    const ranked = ranks ? await this.model.similarities(picture, this.prompts) : undefined;
    const maps: Omit<Answer, "sample" | "scores">[] = [];
    const said = ranked && { values: ranked, axes: [ranked.length] };
    const all = distinct(wanted.flatMap((each) => chosenFrom(each, PROMPTS, sample, said)));
    for (const chosen of all) {
      const started = performance.now();
      const { part, words } = await this.explain(chosen, ask);
      maps.push({ chosen, words, ...part, parts: [part], milliseconds: performance.now() - started });
    }
    // Where every prompt has a map, its run has said the score too: no second session is opened for the prediction.
    const similarities = ranked ?? this.told(asked) ?? (await this.model.similarities(picture, this.prompts));
    const scores = scoresOf(similarities);
    const warnings = this.model.measure === "cosine" ? [cosineNote] : [];
    return maps.map((map) => ({ ...map, sample, scores, warnings }));
  }

  private told(asked: ReadonlyMap<number, PairExplanation>): Float32Array | undefined {
    const found = this.prompts.texts.map((_, index) => asked.get(index)?.similarity);
    return found.every((value) => value !== undefined) ? Float32Array.from(found) : undefined;
  }

  private async explain(chosen: ClassOrContrast, ask: Ask): Promise<{ part: Part; words: PromptWords[] }> {
    if (chosen.kind === "class") {
      const [index] = chosen.index as [number];
      const { picture, words } = await ask(index);
      return { part: { explanation: (picture ?? words)!, row: 0 }, words: this.wordsOf(index, words) };
    }
    const [plus, minus] = [await ask(chosen.plus), await ask(chosen.minus)];
    if (!plus.picture || !minus.picture) {
      const hint = "leave --explains away: a contrast is about the picture";
      throw problem("E091", { at: "--contrast", why: "only words are explained", try: hint });
    }
    const part = contrastOf({ explanation: plus.picture, row: 0 }, { explanation: minus.picture, row: 0 });
    return { part, words: [...this.wordsOf(chosen.plus, plus.words), ...this.wordsOf(chosen.minus, minus.words)] };
  }

  private wordsOf(index: number, explanation: Explanation | undefined): PromptWords[] {
    if (!explanation) return [];
    const { values, padding } = this.prompts.valuesOf(index, explanation.toTokens());
    const encoding = this.prompts.encodings[index]!;
    const prompt = this.prompts.texts[index]!;
    const share = `${Math.round(padding * 100)} % of the relevance in "${prompt}" lies on padding, which is not shown`;
    const warnings = [...encoding.warnings, ...(padding >= 0.005 ? [share] : [])];
    return [{ prompt, encoding, values, warnings }];
  }
}
