/**
 * Pixel flipping in token units, both ways.
 *
 * MoRF takes the most relevant units first, LeRF the least relevant; A is the area under the class's curve over the share removed.
 *   SRG  = A(LeRF) - A(MoRF) on logits         (symmetric relevance gain)
 *   ABPC = A(LeRF) - A(MoRF) on probabilities  (area between perturbation curves)
 * The difference cancels most of what the fill itself does to the model; random order gives 0 in expectation.
 */
import { defineMetric, type Measurement, type Options, type Probe } from "../metric.js";
import { descending, trapezoid } from "../rank.js";
import { fillOption, inUnits, mark, removed, schedule, score, stepsOption, unitOption } from "../removal.js";

const options = { fill: fillOption("mean"), unit: unitOption, steps: stepsOption(100) } as const satisfies Options;

async function between(probe: Probe<typeof options>, kind: string): Promise<Measurement> {
  const { subject, scores } = inUnits(probe, probe.options.unit);
  const most = descending(scores, probe.random);
  const least = most.toReversed();
  const counts = schedule(subject.units, probe.options.steps);
  const sets = [most, least].flatMap((order) => counts.map((count) => mark(order, count)));
  const answers = await removed(probe, subject, sets, probe.options.fill);
  const y = answers.map((answer) => score(probe, answer, kind));
  const x = counts.map((count) => count / subject.units);
  const morf = trapezoid(x, y.slice(0, counts.length));
  const lerf = trapezoid(x, y.slice(counts.length));
  return { value: lerf - morf, parts: { morf, lerf }, curve: { x, y: y.slice(0, counts.length) } };
}

export const symmetricRelevanceGain = defineMetric({
  id: "srg",
  title: "Symmetric relevance gain (LeRF - MoRF, logit)",
  citation:
    "Bluecher, Vielhaben, Strodthoff. Decoupling Pixel Flipping and Occlusion Strategy for Consistent XAI Benchmarks. TMLR 2024.",
  direction: "up",
  group: "faithfulness",
  needs: ["model"],
  options,
  measure: (probe) => between(probe, "logit"),
});

export const areaBetweenPerturbationCurves = defineMetric({
  id: "abpc",
  title: "Area between perturbation curves (LeRF - MoRF, probability)",
  citation:
    "Bach et al. On Pixel-Wise Explanations for Non-Linear Classifier Decisions. PLoS ONE 2015 (pixel flipping, both orders).",
  direction: "up",
  group: "faithfulness",
  needs: ["model"],
  options,
  measure: (probe) => between(probe, "probability"),
});
