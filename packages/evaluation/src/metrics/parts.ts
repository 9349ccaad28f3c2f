/**
 * Whole objects of a drawn scene are taken out, one at a time, and the model is asked again: what it then loses, d_i, is the truth about
 * that object, by intervention. The map's worth of an object, s_i, is its relevance on the object's pixels.
 *
 *   part-deletion = Spearman over the objects of ( s_i, d_i )
 *   part-sign     = sum of |d_i| where s_i and d_i have one sign / sum of |d_i|
 *
 * The second tests what a signed map says *against* a class: an object without which the class's logit rises.
 */
import { defineMetric, type Probe } from "../metric.js";
import { perPixel } from "../model.js";
import { spearman } from "../rank.js";

export interface PartWorth {
  readonly said: number;
  readonly lost: number;
}

async function worths(probe: Probe): Promise<PartWorth[]> {
  const { subject, target, parts = [] } = probe.case;
  const whole = (await probe.logits())[target]!;
  const answers = await probe.predict(parts.length, (i) => parts[i]!.without());
  const map = perPixel(subject, probe.relevance);
  return parts.map(({ mask }, i) => ({
    said: map.reduce((total, value, at) => total + (mask[at] ? value : 0), 0),
    lost: whole - answers[i]![target]!,
  }));
}

export const partRanking = (parts: readonly PartWorth[]): number =>
  spearman(
    parts.map(({ said }) => said),
    parts.map(({ lost }) => lost),
  );

/** 1 where every object that matters has the right sign; 0.5 is a coin's. An object without relevance has no sign. */
export function partSigns(parts: readonly PartWorth[]): number {
  const all = parts.reduce((total, { lost }) => total + Math.abs(lost), 0);
  const right = parts.reduce(
    (total, { said, lost }) => total + Math.abs(lost) * (said === 0 ? 0.5 : Number(said > 0 === lost > 0)),
    0,
  );
  return all > 0 ? right / all : 0.5;
}

const common = {
  citation:
    "Hesse, Schaub-Meyer, Roth. FunnyBirds: A Synthetic Vision Dataset for a Part-Based Analysis of Explainable AI Methods. ICCV 2023 (single deletion), on planted scenes.",
  direction: "up",
  group: "faithfulness",
  needs: ["model", "picture", "parts"],
  options: {},
} as const;

export const partDeletion = defineMetric({
  ...common,
  id: "part-deletion",
  title: "Objects ranked as the model needs them",
  range: [-1, 1],
  measure: async (probe) => ({ value: partRanking(await worths(probe as unknown as Probe)) }),
});

export const partSign = defineMetric({
  ...common,
  id: "part-sign",
  title: "Right sign of objects that speak for and against",
  range: [0, 1],
  caveat: "a map without negative values cannot say what speaks against a class: it reaches what speaks for it",
  measure: async (probe) => ({ value: partSigns(await worths(probe as unknown as Probe)) }),
});
