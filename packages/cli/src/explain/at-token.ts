/**
 * Explains what a model says at one token: its label, the token that comes next, the place where an answer starts. The target is one
 * index per axis of the output after the batch. A long text is explained in the window that holds most around the token.
 */
import type { Explainer, Explanation, Feeds } from "vitrail/node";
import type { TextSample } from "../input/text-sample.js";
import { problem } from "../problem.js";
import { contrastOf } from "./contrast.js";
import { axesOf, classesAt, rowOf } from "./logits.js";
import { asScores, type OutputView } from "./output.js";
import { type Scored, score } from "./prediction.js";
import { type Sample, stack } from "./sample.js";
import { type Said, type TokenChoice, TokenChooser } from "./token-choice.js";
import type { TokenHead } from "./token-head.js";
import type { Answer, Answerer, Part } from "./work.js";

export interface AtTokenOptions {
  head: TokenHead;
  targets: readonly string[];
  contrasts: readonly string[];
  view: OutputView;
}

export class AtToken implements Answerer {
  private readonly batch: number;

  constructor(
    private readonly explainer: Explainer,
    private readonly options: AtTokenOptions,
  ) {
    const { findings, metadata } = explainer;
    const batch = findings.inputs.find(({ name }) => name === metadata.explains)?.dims[0];
    this.batch = typeof batch === "number" ? batch : 1;
  }

  async answer(samples: readonly Sample[]): Promise<Answer[][]> {
    const { head, view, targets, contrasts } = this.options;
    const pages: Answer[][] = [];
    for (const sample of samples as readonly TextSample[]) {
      const said = await this.predict(sample);
      const chooser = new TokenChooser(head, view.labels, said);
      const choices = targets.flatMap((text) => chooser.choose(text));
      const against = contrasts.map((text) => chooser.contrast(text));
      const page: Answer[] = [];
      for (const choice of distinct([...choices, ...against])) page.push(await this.explain(choice, said));
      pages.push(page);
    }
    return pages;
  }

  private async predict(sample: TextSample): Promise<Said> {
    const { head, view } = this.options;
    const rows: { values: Float32Array; axes: readonly number[] }[] = [];
    for (const feeds of sample.parts) {
      const outputs = await this.explainer.predict(stack([feeds], this.batch));
      const output = asScores(view, outputs[this.explainer.metadata.output]!);
      rows.push({ values: rowOf(output, 0), axes: axesOf(output) });
    }
    const { tokens } = sample.encoding.whole;
    const valueAt = (token: number): Float32Array => {
      const { part, position } = sample.placeOf(token);
      const { values, axes } = rows[part]!;
      return head === "tokens"
        ? values.slice(position, position + 1)
        : classesAt(values, axes, view.classAt, [position, 0]);
    };
    if (head === "tokens") {
      const scores = score(
        tokens.map((_, token) => valueAt(token)[0]!),
        { kind: "exclusive" },
        tokens.map(({ text }) => text),
      );
      return { sample, at: () => scores };
    }
    const names = head === "vocabulary" ? (id: number) => `"${sample.tokenizer.textOf(id)}"` : view.labels;
    return { sample, at: (token) => score(valueAt(token), view.reading, names) };
  }

  private async explain(choice: TokenChoice, { sample, at }: Said): Promise<Answer> {
    const { part, position } = sample.placeOf(choice.token);
    const started = performance.now();
    const explained = { explanation: await this.run(sample.parts[part]!, choice.index, position), row: 0 };
    const minus = choice.minus === undefined ? undefined : this.against(choice, sample);
    const less = minus && { explanation: await this.run(sample.parts[part]!, ...minus), row: 0 };
    const found = less ? contrastOf(explained, less) : explained;
    const parts: Part[] = [];
    parts[part] = found;
    const scores = at(choice.token);
    const { head, view } = this.options;
    return {
      ...found,
      sample,
      chosen: { kind: "token", ...choice, ...this.words(choice, scores, sample) },
      scores,
      parts,
      warnings: head === "labels" ? view.notes : [],
      milliseconds: performance.now() - started,
    };
  }

  private async run(part: Feeds, index: number, position: number): Promise<Explanation> {
    const target = this.options.head === "tokens" ? [position] : [position, index];
    const targets = Array.from({ length: this.batch }, () => target);
    return this.explainer.explain(stack([part], this.batch), { target: targets });
  }

  /** The class that is held against, and where it stands in the same part. */
  private against({ token, minus }: TokenChoice, sample: TextSample): [index: number, position: number] {
    const { part, position } = sample.placeOf(token);
    if (this.options.head !== "tokens") return [minus!, position];
    const other = sample.placeOf(minus!);
    if (other.part === part) return [minus!, other.position];
    const why = "the two tokens do not stand in one window";
    throw problem("E091", { at: "--contrast", why, try: "a shorter text" });
  }

  /** What a person calls it. */
  private words({ token, index, minus }: TokenChoice, scores: readonly Scored[], sample: TextSample) {
    const { head } = this.options;
    const { tokens } = sample.encoding.whole;
    const name = (at: number) => (head === "tokens" ? `"${sample.wordAt(at)}"` : (scores[at]!.label ?? `class ${at}`));
    const rather = minus === undefined ? name(index) : `${name(index)} rather than ${name(minus)}`;
    const { output } = this.explainer.metadata;
    const side = /start/i.test(output) ? "start of the answer" : /end/i.test(output) ? "end of the answer" : "answer";
    const next = head === "vocabulary" && token === tokens.length - 1;
    const where = head === "tokens" ? side : next ? "next token" : `at "${sample.wordAt(token)}"`;
    const title = head === "tokens" ? `${where} at ${rather}` : next ? `${where} ${rather}` : `${rather} ${where}`;
    const { part } = sample.placeOf(token);
    const windows = sample.parts.length;
    const note = `"${sample.wordAt(token)}" is explained in window ${part + 1} of ${windows}; words outside it have the value 0`;
    return { title, where, ...(windows > 1 && { note }) };
  }
}

const distinct = (all: readonly TokenChoice[]): TokenChoice[] => [
  ...new Map(all.map((each) => [`${each.token} ${each.index} ${each.minus}`, each])).values(),
];
