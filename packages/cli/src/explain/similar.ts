/**
 * What makes two inputs similar, seen from each of them. The score of A is its vector times that of B, both of length one,
 *
 *     s = a · b / (|a| |b|),
 *
 * with B held fixed: the explanation of A starts with b / |b| as weights on A's vector (target mode `weights`), and the
 * other way round. A long text lies in the mean direction of its windows.
 */
import type { Explainer, Feeds } from "vitrail/node";
import { mean } from "./logits.js";
import { type Sample, stack } from "./sample.js";
import type { Answer, Answerer, Part } from "./work.js";

interface Placed {
  sample: Sample;
  /** Of length one. */
  direction: Float32Array;
}

/** Explains pairs: samples come two by two. The explained output is a vector of length one (`withVector`). */
export class Similar implements Answerer {
  private readonly batch: number;

  constructor(
    private readonly explainer: Explainer,
    /** How the vectors came about, in words. */
    private readonly vector: string,
  ) {
    const { findings, metadata } = explainer;
    const batch = findings.inputs.find(({ name }) => name === metadata.explains)?.dims[0];
    this.batch = typeof batch === "number" ? batch : 1;
  }

  async answer(samples: readonly Sample[]): Promise<Answer[][]> {
    const pages: Answer[][] = [];
    for (let at = 0; at < samples.length; at += 2) {
      const a = await this.place(samples[at]!);
      const b = await this.place(samples[at + 1]!);
      pages.push([await this.explain(a, b), await this.explain(b, a)]);
    }
    return pages;
  }

  private async place(sample: Sample): Promise<Placed> {
    const parts: Float32Array[] = [];
    for (const feeds of sample.parts) {
      const { data, dims } = (await this.explainer.predict(this.feeds(feeds)))[this.explainer.metadata.output]!;
      parts.push((data as Float32Array).slice(0, dims[1]));
    }
    const vector = mean(parts);
    const length = Math.hypot(...vector);
    return { sample, direction: vector.map((value) => value / length) };
  }

  private async explain(own: Placed, other: Placed): Promise<Answer> {
    const started = performance.now();
    const parts: Part[] = [];
    for (const feeds of own.sample.parts) {
      const explanation = await this.explainer.explain(this.feeds(feeds), { target: other.direction });
      parts.push({ explanation, row: 0 });
    }
    const similarity = own.direction.reduce((sum, value, i) => sum + value * other.direction[i]!, 0);
    return {
      ...parts[0]!,
      sample: own.sample,
      chosen: { kind: "similar", to: other.sample, similarity, vector: this.vector },
      scores: [],
      parts,
      milliseconds: performance.now() - started,
    };
  }

  private feeds(feeds: Feeds): Feeds {
    return stack([feeds], this.batch);
  }
}
