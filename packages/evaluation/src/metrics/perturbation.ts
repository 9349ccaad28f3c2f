/**
 * Positive and negative perturbation of the CVPR 2021 paper.
 *
 * Pixels are ranked by the upsampled map; the 10 %, 20 %, ... 90 % highest (positive) or lowest (negative) are set to 0 before
 * normalisation; y_k = 1 where the model still says the true label. Area, as the authors compute it:
 *   trapezoid: 100 * sum_k (x_k - x_(k-1)) (y_k + y_(k-1)) / 2 over x = 0, 0.1, ... 0.9 (the untouched input included)
 *   mean:      100 * mean of y over x = 0.1 ... 0.9
 * A ranking is of positive quality when accuracy falls early (positive, down) or stays (negative, up).
 */
import type { Measurement, Options, Probe } from "../metric.js";
import { argmax, says } from "../model.js";
import { descending, mean, trapezoid } from "../rank.js";
import { defineRemoval, fillOption, mark, removalOf, unitOption } from "../removal.js";

const options = {
  area: { title: "how the area is taken", default: "trapezoid", choices: ["trapezoid", "mean"] },
  class: {
    title: "the class whose map ranks the pixels: the case's own, the model's top class, or the true label",
    default: "case",
    choices: ["case", "predicted", "label"],
  },
  unit: { ...unitOption, default: "pixel" },
  fill: fillOption("zero"),
} as const satisfies Options;

const shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

async function perturb(probe: Probe<typeof options>, sign: 1 | -1): Promise<Measurement> {
  const logits = await probe.logits();
  const label = [probe.case.label ?? probe.case.target].flat();
  const explained =
    probe.options.class === "predicted"
      ? argmax(logits)
      : probe.options.class === "label"
        ? label[0]!
        : probe.case.target;
  const truth = label.includes(explained) && probe.model.activation === "sigmoid" ? explained : label[0]!;
  const relevance = explained === probe.case.target ? probe.relevance : await probe.explain(explained);
  const { units, scores, answers } = removalOf({ ...probe, relevance }, probe.options.unit, probe.options.fill);
  const order = descending(
    scores.map((value) => sign * value),
    probe.random,
  );
  const sets = shares.map((share) => mark(order, Math.floor(share * units + 1e-9)));
  const y = (await answers(sets)).map((answer) => Number(says(answer, truth, probe.model.activation)));
  const value = 100 * (probe.options.area === "trapezoid" ? trapezoid(shares, y) : mean(y.slice(1)));
  return { value, curve: { x: shares, y } };
}

const common = {
  citation: "Chefer, Gur, Wolf. Transformer Interpretability Beyond Attention Visualization. CVPR 2021.",
  needs: ["label"],
  range: [0, 100],
  options,
} as const;

export const positivePerturbation = defineRemoval({
  ...common,
  id: "positive-perturbation",
  title: "Positive perturbation (area, %)",
  direction: "down",
  measure: (probe) => perturb(probe, 1),
});

export const negativePerturbation = defineRemoval({
  ...common,
  id: "negative-perturbation",
  title: "Negative perturbation (area, %)",
  direction: "up",
  measure: (probe) => perturb(probe, -1),
});
