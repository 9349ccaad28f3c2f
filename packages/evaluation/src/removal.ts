/** What metrics share that take units away and ask the model again. */
import { defineMetric, type Measurement, type Metric, type Need, type Options, type Probe } from "./metric.js";
import { type Fill, perPixel, perUnit, probability } from "./model.js";
import { descending } from "./rank.js";

/** Options that the curves share. */
export const scoreOption = {
  title: "what the curve shows",
  default: "probability",
  choices: ["probability", "logit"],
} as const;
export const unitOption = {
  title: "what is taken away at once (text: always tokens)",
  default: "patch",
  choices: ["patch", "pixel"],
} as const;
export const fillOption = <const D extends Exclude<Fill, "drop">>(fill: D) =>
  ({
    title: "what stands in its place (pictures)",
    default: fill,
    choices: ["zero", "neutral", "mean", "blur", "rise-blur", "linear"],
  }) as const;
const tokensOption = {
  title: "texts: the mask token stands in its place, or the token is dropped",
  default: "mask",
  choices: ["mask", "drop"],
} as const;
export const stepsOption = (steps: number) => ({ title: "steps of the curve", default: steps, min: 1, max: 10_000 });

/** One case in the units that are taken away. Sets are marks, one per unit; the model is asked in batches. */
export interface Removal {
  readonly units: number;
  /** The map in these units. */
  readonly scores: Float32Array;
  /** From the most to the least relevant, ties in random order. */
  order(): Uint32Array;
  /** Logits without each set. The untouched input is never run again. */
  answers(sets: readonly Uint8Array[]): Promise<Float32Array[]>;
  /** The class's probability or logit without each set. */
  without(sets: readonly Uint8Array[], kind: Kind): Promise<number[]>;
  /** The same of the untouched input. */
  before(kind: Kind): Promise<number>;
  /** What the class loses with each set. */
  losses(sets: readonly Uint8Array[], kind: Kind): Promise<number[]>;
}

export type Kind = (typeof scoreOption.choices)[number];

export function removalOf(probe: Probe, unit: string, fill: Fill): Removal {
  const { case: of, model, random } = probe;
  const fine = unit === "pixel" ? of.subject.pixels : undefined;
  const subject = fine ?? of.subject;
  let known: Float32Array | undefined;
  const scores = () => {
    known ??= fine ? perPixel(of.subject, probe.relevance) : perUnit(of.subject, probe.relevance);
    return known;
  };
  const score = (logits: Float32Array, kind: Kind) =>
    kind === "logit" ? logits[of.target]! : probability(logits, of.target, model.activation);
  const answers: Removal["answers"] = async (sets) => {
    const touched = sets.filter((gone) => gone.includes(1));
    const altered = await probe.predict(touched.length, (i) => subject.without(touched[i]!, fill, random));
    const untouched = await probe.logits();
    let next = 0;
    return sets.map((gone) => (gone.includes(1) ? altered[next++]! : untouched));
  };
  const without: Removal["without"] = async (sets, kind) => (await answers(sets)).map((answer) => score(answer, kind));
  const before: Removal["before"] = async (kind) => score(await probe.logits(), kind);
  return {
    units: subject.units,
    get scores() {
      return scores();
    },
    order: () => descending(scores(), random),
    answers,
    without,
    before,
    losses: async (sets, kind) => {
      const whole = await before(kind);
      return (await without(sets, kind)).map((rest) => whole - rest);
    },
  };
}

interface RemovalMetric<O extends Options> extends Omit<Metric<O>, "group" | "needs" | "measure"> {
  /** Beside the model. */
  readonly needs?: readonly Need[];
  /** What stands in place of removed units, where no option says it. */
  readonly fill?: Fill;
  measure(probe: Probe<O>, removal: Removal): Promise<Measurement>;
}

/** A metric of faithfulness: units as its option `unit` says, replaced as its option `fill` says. */
export function defineRemoval<const O extends Options & { readonly unit: Options[string] }>({
  needs = [],
  fill,
  measure,
  ...metric
}: RemovalMetric<O>): Metric {
  const pictures = needs.includes("picture");
  return defineMetric<O>({
    ...(metric as Omit<Metric<O>, "group" | "needs" | "measure">),
    options: pictures ? metric.options : { ...metric.options, tokens: tokensOption },
    group: "faithfulness",
    needs: ["model", ...needs],
    measure: (probe) => {
      const options: Readonly<Record<string, unknown>> = probe.options;
      const dropped = !probe.case.subject.grid && options.tokens === "drop";
      const filling = dropped ? "drop" : (fill ?? (options.fill as Fill));
      return measure(probe, removalOf(probe as Probe, String(options.unit), filling));
    },
  });
}

/** How many units are gone at each step: evenly from 0 to `most`, without repeats. */
export function schedule(units: number, steps: number, most = units): number[] {
  const counts = Array.from({ length: steps + 1 }, (_, step) => Math.round((most * step) / steps));
  return [...new Set(counts)];
}

/** Marks the first `count` units of an order. */
export function mark(order: ArrayLike<number>, count: number, units: number = order.length): Uint8Array {
  const gone = new Uint8Array(units);
  for (let i = 0; i < count; i++) gone[order[i]!] = 1;
  return gone;
}

export const complement = (marks: Uint8Array): Uint8Array => marks.map((value) => 1 - value);

/** What a map gives to each set. */
export const sumsOf = (scores: Float32Array, sets: readonly Uint8Array[]): number[] =>
  sets.map((gone) => scores.reduce((total, value, i) => total + (gone[i] ? value : 0), 0));
