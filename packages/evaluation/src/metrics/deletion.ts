/**
 * Deletion and insertion.
 *
 * Units are taken away (deletion) or put on an emptied input (insertion) from the most to the least relevant;
 * y_k is the score of the class after k steps, x_k the share of units changed. Value: area under y over x in [0, 1].
 * Deletion should fall at once (down), insertion should rise at once (up).
 */
import { defineMetric, type Measurement, type Options, type Probe } from "../metric.js";
import { descending, trapezoid } from "../rank.js";
import {
  complement,
  fillOption,
  inUnits,
  mark,
  removed,
  schedule,
  score,
  scoreOption,
  stepsOption,
  unitOption,
} from "../removal.js";

const deletionOptions = {
  score: scoreOption,
  fill: fillOption("zero"),
  unit: { ...unitOption, default: "pixel" },
  steps: stepsOption(32),
} as const satisfies Options;
const insertionOptions = { ...deletionOptions, fill: fillOption("blur") } as const satisfies Options;

type Both = Probe<Omit<typeof deletionOptions, "fill"> & { fill: ReturnType<typeof fillOption> }>;

async function follow(probe: Both, inserted: boolean): Promise<Measurement> {
  const { subject, scores } = inUnits(probe, probe.options.unit);
  const order = descending(scores, probe.random);
  const counts = schedule(subject.units, probe.options.steps);
  const changed = counts.map((count) => mark(order, count));
  const sets = inserted ? changed.map(complement) : changed;
  const answers = await removed(probe, subject, sets, probe.options.fill);
  const y = answers.map((answer) => score(probe, answer, probe.options.score));
  const x = counts.map((count) => count / subject.units);
  return { value: trapezoid(x, y), curve: { x, y } };
}

const citation =
  "Petsiuk, Das, Saenko. RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.";

export const deletion = defineMetric({
  id: "deletion",
  title: "Deletion (area)",
  citation,
  direction: "down",
  group: "faithfulness",
  needs: ["model"],
  options: deletionOptions,
  measure: (probe) => follow(probe, false),
});

export const insertion = defineMetric({
  id: "insertion",
  title: "Insertion (area)",
  citation,
  direction: "up",
  group: "faithfulness",
  needs: ["model"],
  options: insertionOptions,
  measure: (probe) => follow(probe, true),
});
