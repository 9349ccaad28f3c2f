/**
 * Explains with methods that run the model many times. Samples are taken one after the other, so that a batch of n is n batches of
 * one; the runs of one sample (its masks, the points of its path) share batches.
 */
import type { Completeness, DriveContext, Units } from "../methods/drive.js";
import { POINT, SCORES, SHIFT } from "../methods/gradient-program.js";
import { isBuilt } from "../methods/method.js";
import { findMethod } from "../options.js";
import type { Numbered } from "./explainer.js";
import { Explanation } from "./explanation.js";
import type { Findings } from "./load.js";
import { failure, problem } from "./problem.js";
import { Rows } from "./rows.js";
import type { Session } from "./session.js";
import { isWeights, type Target, targetIndices, targetTensor, topIndices } from "./target.js";
import { type Feeds, fromFloat32, type Outputs, sizeOf, type Tensor, toFloat32 } from "./tensor.js";
import { type Sample, sampleUnits } from "./units.js";

/** Rows of one run. More gain nothing on a CPU, and gradients keep every layer's values. */
const ROWS = { forward: 8, gradient: 2 };

export function explainDriven(session: Session, findings: Findings) {
  const { metadata } = findings;
  const method = findMethod(metadata.method);
  if (isBuilt(method)) throw new Error(`internal: ${method.id} is not driven`);
  const rows = new Rows(findings);

  /** `known` keeps the outputs under masks, which are the same for every target. */
  return async (feeds: Feeds, options: Numbered = {}, known: Known = new Map()): Promise<Explanation> => {
    const outputs = await session.run(feeds, "prediction");
    const logits = outputs[metadata.output]!;
    const target: Target = options.target ?? topIndices(logits);
    const mode = metadata.target.mode === "weights" ? "weights" : "index";
    targetTensor(target, mode, logits.dims, metadata.target.axes);
    const seeds = targetTensor(target, "weights", logits.dims).data as Float32Array;
    const dims = feeds[metadata.explains]!.dims;
    const batch = logits.dims[0] ?? 1;
    const watch = new Watch(options, batch);
    const maps: Float32Array[] = [];
    const completeness: Completeness[] = [];
    let units: Units | undefined;
    for (let i = 0; i < batch; i++) {
      const seed = seeds.subarray((i * seeds.length) / batch, ((i + 1) * seeds.length) / batch);
      const one = new Driver(session, findings, rows, {
        feeds: rows.sample(feeds, i),
        seed,
        logits,
        row: i,
        watch,
        known,
      });
      const context = await one.open();
      const driven = await method.drive(context);
      maps.push(one.reduced(driven.relevance));
      if (driven.completeness) completeness.push(driven.completeness);
      if (metadata.relevance.kind === "tokens") units = context.units;
    }
    const size = maps[0]!.length;
    const values = new Float32Array(batch * size);
    for (const [i, map] of maps.entries()) values.set(map, i * size);
    const shape = metadata.relevance.kind === "input" ? dims.slice(1) : [size];
    const own =
      metadata.relevance.kind === "tokens"
        ? {
            ...metadata,
            tokens: { stride: null, ...(units?.region && metadata.tokens), prefix: 0, grid: units?.grid ?? null },
          }
        : metadata;
    const relevance = { type: "float32", dims: [batch, ...shape], data: values };
    const indices = isWeights(target) ? undefined : targetIndices(target, logits);
    return new Explanation(outputs, relevance, own, indices, dims, completeness.length > 0 ? { completeness } : {});
  };
}

/** Explained outputs by sample and mask. */
export type Known = Map<string, Float32Array>;

/** More numbers than this are not kept from one target to the next. */
const KEPT = 2e7;

/** Counts what is done, and stops when it is told to. */
class Watch {
  private done = 0;
  private total = 0;

  constructor(
    private readonly options: Numbered,
    private readonly samples: number,
  ) {}

  expect(count: number): void {
    this.total = Math.max(this.total, count * this.samples);
  }

  step(count: number): void {
    this.done += count;
    this.options.onProgress?.(this.done, this.total);
  }

  check(): void {
    if (!this.options.signal?.aborted) return;
    const why = `${this.done} of ${this.total} runs were done`;
    throw failure(problem("E071", { why, try: "explain again without aborting the signal" }));
  }
}

interface One {
  /** One sample. */
  readonly feeds: Feeds;
  /** What the explained output is weighed with. */
  readonly seed: Float32Array;
  /** The outputs of the whole batch, and which row of them is this sample's. */
  readonly logits: Tensor;
  readonly row: number;
  readonly watch: Watch;
  readonly known: Known;
}

/** One sample's masks and points, run in batches. */
class Driver {
  private readonly input: Tensor;
  /** The shape of a point: of the explained input, or of its embeddings. */
  private readonly shape: readonly number[];
  private embedded: Float32Array | undefined;

  constructor(
    private readonly session: Session,
    private readonly findings: Findings,
    private readonly rows: Rows,
    private readonly one: One,
  ) {
    this.input = one.feeds[findings.metadata.explains]!;
    const { embeddings } = this;
    this.shape = embeddings ? [...this.input.dims, embeddings.width] : this.input.dims;
  }

  async open(): Promise<DriveContext> {
    const { embeddings } = this;
    let sample: Sample | undefined;
    const parts = () => {
      sample ??= sampleUnits(this.findings, this.one.feeds);
      return sample;
    };
    return {
      options: this.findings.metadata.options,
      score: await this.score(),
      get units() {
        return parts().units;
      },
      scores: (count, keep) => this.scores(count, (i) => parts().masked(keep(i))),
      embedded: embeddings !== null && embeddings !== undefined,
      point: () => this.point(),
      gradients: (count, at, take) => this.gradients(count, at, take),
      scoreAt: (point) => this.scoreAt(point),
    };
  }

  private async score(): Promise<number> {
    const { logits, row } = this.one;
    if (!this.findings.driving!.scores) return this.scoreOf(logits, row);
    if (this.embeddings) return this.scoreOf((await this.program([this.unshifted], true))[SCORES]!, 0);
    return this.scoreOf(await this.explained(1, {}), 0);
  }

  private get embeddings() {
    return this.findings.driving!.program?.embeddings;
  }

  private async scores(count: number, inputAt: (i: number) => Tensor): Promise<Float64Array> {
    const { known, row, seed } = this.one;
    const { explains } = this.findings.metadata;
    const found = new Float64Array(count);
    const keep = count * seed.length <= KEPT;
    await this.batches(count, ROWS.forward, async (at, size) => {
      const all = range(size).map((i) => known.get(`${row} ${at + i}`));
      const outputs = all.every((values) => values !== undefined)
        ? all
        : this.rowsOf(await this.explained(size, { [explains]: range(size).map((i) => inputAt(at + i)) }), size);
      for (const [i, values] of outputs.entries()) {
        if (keep) known.set(`${row} ${at + i}`, values);
        found[at + i] = this.weighed(values);
      }
    });
    return found;
  }

  private async point(): Promise<Float32Array> {
    if (!this.embeddings) return toFloat32(this.input);
    const { [POINT]: embedded } = await this.program([this.unshifted], true);
    this.embedded = toFloat32(embedded!).slice(0, sizeOf(this.shape));
    return this.embedded;
  }

  private async gradients(
    count: number,
    at: (i: number) => Float32Array,
    take: (gradient: Float32Array, i: number) => void,
  ): Promise<void> {
    const each = sizeOf(this.shape);
    await this.batches(count, ROWS.gradient, async (first, size) => {
      const outputs = await this.program(range(size).map((i) => at(first + i)));
      const values = toFloat32(outputs[this.findings.driving!.program!.result]!);
      for (const i of range(size)) take(values.subarray(i * each, (i + 1) * each), first + i);
    });
  }

  private async scoreAt(point: Float32Array): Promise<number> {
    if (this.embeddings) return this.scoreOf((await this.program([point]))[SCORES]!, 0);
    const input = fromFloat32(point, this.shape, this.input.type);
    return this.scoreOf(await this.explained(1, { [this.findings.metadata.explains]: [input] }), 0);
  }

  private get unshifted(): Float32Array {
    return new Float32Array(sizeOf(this.shape));
  }

  /** The numbers that the explanation starts at, with `given` in place of some inputs of the sample. */
  private async explained(size: number, given: Readonly<Record<string, readonly Tensor[]>>): Promise<Tensor> {
    const { driving, metadata } = this.findings;
    if (!driving!.scores) return (await this.run(size, given, "prediction"))[metadata.output]!;
    const target = driving!.program && { [driving!.program.target]: range(size).map(() => this.weights) };
    return (await this.run(size, { ...given, ...target }, "explanation"))[SCORES]!;
  }

  private get weights(): Tensor {
    const { seed, logits } = this.one;
    return { type: "float32", dims: [1, ...logits.dims.slice(1)], data: seed };
  }

  /** Runs the gradient program at points: as the explained input, or as what is added to the embeddings. */
  private program(points: readonly Float32Array[], shifts = false): Promise<Outputs> {
    const { target } = this.findings.driving!.program!;
    const { weights } = this;
    const shifted = (p: Float32Array) => (shifts ? p : p.map((v, k) => v - this.embedded![k]!));
    const given = this.embeddings
      ? { [SHIFT]: points.map((p) => fromFloat32(shifted(p), this.shape, this.embeddings!.type)) }
      : { [this.findings.metadata.explains]: points.map((p) => fromFloat32(p, this.shape, this.input.type)) };
    return this.run(points.length, { ...given, [target]: points.map(() => weights) }, "explanation");
  }

  private async batches(count: number, most: number, task: (at: number, size: number) => Promise<void>): Promise<void> {
    const { watch } = this.one;
    watch.expect(count);
    const limit = this.rows.limit(most);
    for (let at = 0; at < count; at += limit) {
      watch.check();
      const size = Math.min(limit, count - at);
      await task(at, size);
      watch.step(size);
    }
  }

  private run(
    size: number,
    given: Readonly<Record<string, readonly Tensor[]>>,
    part: "explanation" | "prediction",
  ): Promise<Outputs> {
    return this.session.run(this.rows.repeat(this.one.feeds, size, given), part);
  }

  /** A map over embeddings as one over tokens: numbers of one embedding are summed. */
  reduced(map: Float32Array): Float32Array {
    if (!this.embeddings) return map;
    const { width } = this.embeddings;
    return Float32Array.from({ length: map.length / width }, (_, token) =>
      map.subarray(token * width, (token + 1) * width).reduce((sum, v) => sum + v, 0),
    );
  }

  /** The first rows of an output, one by one. */
  private rowsOf(output: Tensor, count: number): Float32Array[] {
    const values = toFloat32(output);
    const size = this.one.seed.length;
    return range(count).map((i) => values.slice(i * size, (i + 1) * size));
  }

  private scoreOf(output: Tensor, row: number): number {
    const size = this.one.seed.length;
    return this.weighed(toFloat32(output).subarray(row * size, (row + 1) * size));
  }

  /** Σ seed ⊙ output */
  private weighed(output: Float32Array): number {
    let sum = 0;
    for (const [i, weight] of this.one.seed.entries()) if (weight !== 0) sum += weight * output[i]!;
    return sum;
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
