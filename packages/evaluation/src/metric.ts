import type { Activation, Case, Explainer, Model } from "./model.js";
import type { Random } from "./random.js";

/** What a metric asks of a case; a runner leaves a metric out, and says so, where something is missing. */
export type Need =
  | "model"
  | "truth"
  | "boxes"
  | "label"
  | "picture"
  | "text"
  | "noise"
  | "second-map"
  | "randomised-model"
  | "block-sums"
  | "memory-meter"
  | "second-model"
  | "parts"
  | "weighted"
  | "input-values";

export type Group =
  | "faithfulness"
  | "localisation"
  | "sanity"
  | "robustness"
  | "complexity"
  | "axiom"
  | "cost"
  | "decision"
  | "agreement";

export type OptionValue = string | number;

/** A typed option: menus and the command line are made from this. */
export type Option =
  | { readonly title: string; readonly default: string; readonly choices: readonly string[] }
  | { readonly title: string; readonly default: number; readonly min: number; readonly max: number };

export type Options = Readonly<Record<string, Option>>;
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { readonly choices: readonly (infer C)[] } ? C : number;
};

export interface Curve {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface Measurement {
  readonly value: number;
  /** Counts that `summarise` adds up over a data set. */
  readonly parts?: Readonly<Record<string, number>>;
  readonly curve?: Curve;
  /** Something a reader must know, such as "not class-specific". */
  readonly note?: string;
}

/** Everything a metric may look at for one case and one method. */
export interface Probe<O extends Options = Options, I = unknown> {
  readonly case: Case<I>;
  readonly model: Model<I>;
  readonly explainer: Explainer<I>;
  readonly options: Values<O>;
  /** The map that is judged, one value per unit or per pixel: see `perUnit` and `perPixel`. */
  readonly relevance: Float32Array;
  /** A stream that depends on seed, case and metric, never on the method: all methods meet the same draws. */
  readonly random: Random;
  /** Logits of the untouched input, computed once per case. */
  logits(): Promise<Float32Array>;
  /** Logits of `count` inputs, made when needed and run in batches. */
  predict(count: number, make: (index: number) => I): Promise<Float32Array[]>;
  /** The map of another class, computed once. */
  explain(target: number): Promise<Float32Array>;
  /** The same method on a model whose last `depth` layers are random; `undefined` past the deepest. */
  randomised?(depth: number): Promise<Explainer<I> | undefined>;
  /** The same input, class and method on the model that this one is held against. */
  readonly second?: {
    /** How its logits become probabilities. */
    readonly activation?: Activation;
    logits(): Promise<Float32Array>;
    map(): Promise<Float32Array>;
  };
  /** Milliseconds that the judged map took. */
  readonly milliseconds?: number;
}

export interface Metric<O extends Options = Options> {
  readonly id: string;
  readonly title: string;
  readonly citation: string;
  /** Whether more (`up`) or less (`down`) is better. */
  readonly direction: "up" | "down";
  readonly group: Group;
  readonly needs: readonly Need[];
  readonly options: O;
  measure(probe: Probe<O>): Measurement | Promise<Measurement>;
  /** From the measurements of a data set to its figure; the mean of the values when not given. */
  summarise?(rows: readonly Measurement[]): number;
  /** Each value is a hit, a miss, or a share of equal maxima that hit: its figure is a share, with the interval of one. */
  readonly hits?: true;
  /** Where all values lie; intervals are cut there. */
  readonly range?: readonly [low: number, high: number];
  /** A known weakness, printed beside the figures. */
  readonly caveat?: string;
}

/** Keeps the option types of a metric inside it and hides them outside. */
export function defineMetric<const O extends Options>(metric: Metric<O>): Metric {
  return metric as unknown as Metric;
}

/** The options as given, completed by defaults; a wrong name or value is an error with the choices. */
export function resolveOptions<O extends Options>(options: O, given: Readonly<Record<string, OptionValue>>): Values<O> {
  const result: Record<string, OptionValue> = {};
  for (const key of Object.keys(given)) {
    if (!(key in options)) {
      throw new RangeError(`unknown option "${key}"; known: ${Object.keys(options).join(", ") || "none"}`);
    }
  }
  for (const [key, option] of Object.entries(options)) {
    const value = given[key] ?? option.default;
    if ("choices" in option) {
      if (!option.choices.includes(String(value))) {
        throw new RangeError(`option "${key}" is "${value}"; choose from ${option.choices.join(", ")}`);
      }
      result[key] = String(value);
    } else {
      const number = Number(value);
      if (!(number >= option.min && number <= option.max)) {
        throw new RangeError(`option "${key}" is "${value}"; give a number from ${option.min} to ${option.max}`);
      }
      result[key] = number;
    }
  }
  return result as Values<O>;
}
