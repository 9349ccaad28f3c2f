import type { Encoding } from "@vitrail/text";
import type { Explanation } from "vitrail/node";
import { contrastOf } from "../explain/contrast.js";
import { topOf } from "../explain/logits.js";
import type { Scored } from "../explain/prediction.js";
import type { Sample } from "../explain/sample.js";
import type { Wanted } from "../explain/wanted.js";
import { type Answer, type Answerer, type ClassOrContrast, chosenFrom, type Part } from "../explain/work.js";
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
    const similarities = await this.model.similarities(picture, this.prompts);
    const scores = this.options.scoresOf(similarities);
    const ranking = topOf(similarities, [similarities.length], similarities.length);
    const warnings = this.model.measure === "cosine" ? [cosineNote] : [];
    const asked = new Map<number, Promise<PairExplanation>>();
    const ask: Ask = (index) => {
      const known = asked.get(index) ?? this.model.explain(picture, this.prompts, index);
      asked.set(index, known);
      return known;
    };
    const answers: Answer[] = [];
    for (const chosen of chosenFrom(this.options.wanted, ranking)) {
      const started = performance.now();
      const { part, words } = await this.explain(chosen, ask);
      const milliseconds = performance.now() - started;
      answers.push({ sample, chosen, scores, words, warnings, ...part, parts: [part], milliseconds });
    }
    return answers;
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
