/** One case, one method, some metrics: forwards in batches, the untouched prediction and second maps computed once. */
import type { Measurement, Need, Options, Probe } from "./metric.js";
import type { Case, Explainer, Model } from "./model.js";
import { createRandom, type Seed } from "./random.js";
import type { ChosenMetric } from "./registry.js";

export interface Bench<I> {
  readonly model: Model<I>;
  readonly seed: Seed;
  /** Inputs per forward; 16 when not said. */
  readonly batchSize?: number;
  /** The same explainer on the model with its last `depth` layers random; `undefined` past the deepest. */
  randomised?(explainer: Explainer<I>, depth: number): Promise<Explainer<I> | undefined>;
  /** A model that is held against this one: it takes the same inputs. */
  readonly second?: { readonly model: Model<I>; explainer(method: string, of: Case<I>): Promise<Explainer<I>> };
  /** Milliseconds since any start; without it no times are given. */
  clock?(): number;
}

/**
 * Runs `count` inputs through a model, at most `batchSize` at a time, in batches of one size but for the last. Inputs are made in order,
 * just before they are needed; those of a batch while the one before it runs, where the model runs on another thread.
 */
export async function predictAll<I>(
  model: Model<I>,
  count: number,
  make: (index: number) => I,
  batchSize = 16,
): Promise<Float32Array[]> {
  const answers: Float32Array[] = [];
  let running: Promise<readonly Float32Array[]> = Promise.resolve([]);
  // What fails while the next batch is made is thrown when it is waited for.
  const started = (batch: readonly I[]) => {
    const run = model.predict(batch);
    run.catch(() => undefined);
    return run;
  };
  const even = Math.ceil(count / Math.ceil(count / batchSize));
  for (let start = 0; start < count; start += even) {
    const batch = Array.from({ length: Math.min(even, count - start) }, (_, i) => make(start + i));
    answers.push(...(await running));
    running = started(batch);
  }
  answers.push(...(await running));
  return answers;
}

/** What a case and a bench offer. */
export function offers<I>(of: Case<I>, bench: Bench<I>, explainer: Explainer<I>): ReadonlySet<Need> {
  const { subject, truth } = of;
  const has: readonly (readonly [Need, unknown])[] = [
    ["model", true],
    ["second-map", true],
    ["truth", truth?.mask?.includes(1) || truth?.boxes?.length],
    ["boxes", truth?.boxes?.length],
    ["label", of.label !== undefined],
    ["picture", subject.grid],
    ["text", !subject.grid],
    ["noise", subject.noisy],
    ["randomised-model", bench.randomised],
    ["block-sums", explainer.sums],
    ["memory-meter", explainer.bytes],
    ["second-model", bench.second],
    ["parts", of.parts && of.parts.length > 1],
    ["weighted", subject.pixels?.weighted],
    ["input-values", subject.values],
  ];
  return new Set(has.filter(([, present]) => present).map(([need]) => need));
}

export interface Measured {
  readonly values: Readonly<Record<string, Measurement>>;
  /** Metrics left out, each with what was missing. */
  readonly missing: Readonly<Record<string, readonly Need[]>>;
  readonly relevance: Float32Array;
  readonly milliseconds?: number;
}

/** Keeps what several methods of one case share; make one per case. */
export function caseContext<I>(of: Case<I>, bench: Bench<I>) {
  const once = (model: Model<I> | undefined) => {
    let logits: Promise<Float32Array> | undefined;
    return () => {
      logits ??= model!.predict([of.subject.input]).then(([first]) => first!);
      return logits;
    };
  };
  return { of, bench, logits: once(bench.model), secondLogits: once(bench.second?.model) };
}

export type CaseContext<I> = ReturnType<typeof caseContext<I>>;

export async function measure<I>(
  { of, bench, logits, secondLogits }: CaseContext<I>,
  explainer: Explainer<I>,
  chosen: readonly ChosenMetric[],
): Promise<Measured> {
  const start = bench.clock?.();
  const relevance = await explainer.explain(of.subject.input, of.target);
  const milliseconds = start === undefined ? undefined : bench.clock!() - start;
  const { units, pixels } = of.subject;
  if (relevance.length !== units && relevance.length !== pixels?.units) {
    throw new RangeError(`${explainer.id} gave ${relevance.length} values for ${units} units`);
  }
  if (!relevance.every(Number.isFinite)) throw new RangeError(`${explainer.id} gave values that are not finite`);
  const maps = new Map<number, Promise<Float32Array>>([[of.target, Promise.resolve(relevance)]]);
  const explain = (target: number) => {
    const known = maps.get(target) ?? explainer.explain(of.subject.input, target);
    maps.set(target, known);
    return known;
  };
  let secondMap: Promise<Float32Array> | undefined;
  const second = bench.second && {
    ...(bench.second.model.activation && { activation: bench.second.model.activation }),
    logits: secondLogits,
    map: () => {
      secondMap ??= bench
        .second!.explainer(explainer.id, of)
        .then((other) => other.explain(of.subject.input, of.target));
      return secondMap;
    },
  };
  const available = offers(of, bench, explainer);
  const values: Record<string, Measurement> = {};
  const missing: Record<string, readonly Need[]> = {};
  for (const { name, metric, options } of chosen) {
    const lacking = metric.needs.filter((need) => !available.has(need));
    if (lacking.length > 0) {
      missing[name] = lacking;
      continue;
    }
    const probe: Probe<Options, I> = {
      case: of,
      model: bench.model,
      explainer,
      options,
      relevance,
      random: createRandom(bench.seed, of.id, of.target, name),
      logits,
      predict: (count, make) => predictAll(bench.model, count, make, bench.batchSize),
      explain,
      ...(bench.randomised && { randomised: (depth: number) => bench.randomised!(explainer, depth) }),
      ...(second && { second }),
      ...(milliseconds !== undefined && { milliseconds }),
    };
    values[name] = await metric.measure(probe as Probe<Options>);
  }
  return { values, missing, relevance, ...(milliseconds !== undefined && { milliseconds }) };
}
