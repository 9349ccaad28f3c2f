/**
 * Pixel flipping in token units, both ways.
 *
 * MoRF takes the most relevant units first, LeRF the least relevant; A is the area under the class's curve over the share removed.
 *   SRG  = A(LeRF) - A(MoRF) on logits         (symmetric relevance gain)
 *   ABPC = A(LeRF) - A(MoRF) on probabilities  (area between perturbation curves)
 * The difference cancels most of what the fill itself does to the model; random order gives 0 in expectation.
 */
import type { Measurement } from "../metric.js";
import { trapezoid } from "../rank.js";
import {
  defineRemoval,
  fillOption,
  type Kind,
  mark,
  type Removal,
  schedule,
  stepsOption,
  unitOption,
} from "../removal.js";

async function between({ units, order, without }: Removal, steps: number, kind: Kind): Promise<Measurement> {
  const most = order();
  const counts = schedule(units, steps);
  const sets = [most, most.toReversed()].flatMap((ranked) => counts.map((count) => mark(ranked, count)));
  const y = await without(sets, kind);
  const x = counts.map((count) => count / units);
  const morf = trapezoid(x, y.slice(0, counts.length));
  const lerf = trapezoid(x, y.slice(counts.length));
  return { value: lerf - morf, parts: { morf, lerf }, curve: { x, y: y.slice(0, counts.length) } };
}

const common = {
  direction: "up",
  options: { fill: fillOption("mean"), unit: unitOption, steps: stepsOption(100) },
} as const;

export const symmetricRelevanceGain = defineRemoval({
  ...common,
  id: "srg",
  title: "Symmetric relevance gain (LeRF - MoRF, logit)",
  citation:
    "Bluecher, Vielhaben, Strodthoff. Decoupling Pixel Flipping and Occlusion Strategy for Consistent XAI Benchmarks. TMLR 2024.",
  measure: ({ options }, removal) => between(removal, options.steps, "logit"),
});

export const areaBetweenPerturbationCurves = defineRemoval({
  ...common,
  id: "abpc",
  title: "Area between perturbation curves (LeRF - MoRF, probability)",
  citation:
    "Bach et al. On Pixel-Wise Explanations for Non-Linear Classifier Decisions. PLoS ONE 2015 (pixel flipping, both orders).",
  measure: ({ options }, removal) => between(removal, options.steps, "probability"),
});
