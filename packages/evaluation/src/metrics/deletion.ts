/**
 * Deletion and insertion.
 *
 * Units are taken away (deletion) or put on an emptied input (insertion) from the most to the least relevant;
 * y_k is the score of the class after k steps, x_k the share of units changed. Value: area under y over x in [0, 1].
 * Deletion should fall at once (down), insertion should rise at once (up). As in the authors' code, what is deleted becomes 0 after the
 * model's normalisation, and an emptied input is their blur of it; they change as many pixels a step as a row has (`steps=224`).
 */
import type { Measurement, Options, Values } from "../metric.js";
import { trapezoid } from "../rank.js";
import {
  complement,
  defineRemoval,
  fillOption,
  mark,
  type Removal,
  schedule,
  scoreOption,
  stepsOption,
  unitOption,
} from "../removal.js";

const curve = {
  score: scoreOption,
  unit: { ...unitOption, default: "pixel" },
  steps: stepsOption(32),
} as const satisfies Options;

async function follow(
  { units, order, without }: Removal,
  { score, steps }: Values<typeof curve>,
  inserted: boolean,
): Promise<Measurement> {
  const ranked = order();
  const counts = schedule(units, steps);
  const changed = counts.map((count) => mark(ranked, count));
  const y = await without(inserted ? changed.map(complement) : changed, score);
  const x = counts.map((count) => count / units);
  return { value: trapezoid(x, y), curve: { x, y } };
}

const citation =
  "Petsiuk, Das, Saenko. RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.";

export const deletion = defineRemoval({
  id: "deletion",
  title: "Deletion (area)",
  citation,
  direction: "down",
  options: { ...curve, fill: fillOption("neutral") },
  measure: ({ options }, removal) => follow(removal, options, false),
});

export const insertion = defineRemoval({
  id: "insertion",
  title: "Insertion (area)",
  citation,
  direction: "up",
  options: { ...curve, fill: fillOption("rise-blur") },
  measure: ({ options }, removal) => follow(removal, options, true),
});
