import type { Options, Probe } from "./metric.js";
import { type Fill, perPixel, perUnit, probability, type Subject } from "./model.js";

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
export const fillOption = <const D extends Fill>(fill: D) =>
  ({ title: "what stands in its place", default: fill, choices: ["zero", "mean", "blur", "linear"] }) as const;
export const stepsOption = (steps: number) => ({ title: "steps of the curve", default: steps, min: 1, max: 10_000 });

/** The subject and the map in the chosen units. */
export function inUnits<I>(probe: Probe<Options, I>, unit: string): { subject: Subject<I>; scores: Float32Array } {
  const { subject } = probe.case;
  if (unit === "pixel" && subject.pixels) {
    return { subject: subject.pixels, scores: perPixel(subject, probe.relevance) };
  }
  return { subject, scores: perUnit(subject, probe.relevance) };
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

/** Logits for each set of removed units; the untouched input is never run again. */
export async function removed<I>(
  probe: Probe<Options, I>,
  subject: Subject<I>,
  sets: readonly Uint8Array[],
  fill: Fill,
): Promise<Float32Array[]> {
  const touched = sets.filter((gone) => gone.includes(1));
  const answers = await probe.predict(touched.length, (i) => subject.without(touched[i]!, fill, probe.random));
  const untouched = await probe.logits();
  let next = 0;
  return sets.map((gone) => (gone.includes(1) ? answers[next++]! : untouched));
}

/** The number a curve shows for one answer of the model. */
export function score(probe: Probe, logits: Float32Array, kind: string): number {
  const { target } = probe.case;
  return kind === "logit" ? logits[target]! : probability(logits, target, probe.model.activation);
}
