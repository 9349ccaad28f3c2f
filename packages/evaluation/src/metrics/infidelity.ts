/**
 * Infidelity under removal of random sets S: how far relevance is from predicting what the output loses.
 *
 *   infidelity            = E_S [ ( b * sum_(i in S) R_i - (f(x) - f(x without S)) )^2 ],   b = 1, or the best factor (`scale=best`)
 *   infidelity-normalised = the same with the best factor, divided by E_S [ (f(x) - f(x without S))^2 ]
 *
 * The second is 0 where the map predicts every loss and 1 where it predicts none, so that methods of different units can be compared.
 */
import type { Probe } from "../metric.js";
import { defineRemoval, fillOption, mark, type Removal, scoreOption, sumsOf, unitOption } from "../removal.js";

const common = {
  citation: "Yeh et al. On the (In)fidelity and Sensitivity of Explanations. NeurIPS 2019.",
  direction: "down",
} as const;

const options = {
  score: { ...scoreOption, default: "logit" },
  fill: fillOption("mean"),
  unit: unitOption,
  sets: { title: "random sets", default: 64, min: 2, max: 10_000 },
} as const;

/** What the map says that each random set is worth, and what the output loses with it. */
async function drawn(
  { options: { score, sets: count }, random }: Probe<typeof options>,
  { units, scores, losses }: Removal,
) {
  const all = Array.from({ length: units }, (_, i) => i);
  const sets = Array.from({ length: count }, () => {
    const size = 1 + random.int(Math.max(1, Math.floor(units / 2)));
    return mark(random.shuffle(all), size, units);
  });
  return { lost: await losses(sets, score), said: sumsOf(scores, sets) };
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * b[i]!, 0);

/** Mean squared error of `said` against `lost`; by the best factor where `best`. */
export function infidelityOf(said: readonly number[], lost: readonly number[], best: boolean): number {
  const own = dot(said, said);
  const factor = !best ? 1 : own > 0 ? dot(said, lost) / own : 0;
  const error = lost.map((loss, i) => factor * said[i]! - loss);
  return dot(error, error) / lost.length;
}

export const infidelity = defineRemoval({
  ...common,
  id: "infidelity",
  title: "Infidelity",
  options: {
    ...options,
    scale: { title: "factor on the relevance", default: "none", choices: ["none", "best"] },
  },
  caveat: "in squared units of the score: maps that do not claim to add up to it fare badly unless scale=best",
  async measure(probe, removal) {
    const { said, lost } = await drawn(probe, removal);
    return { value: infidelityOf(said, lost, probe.options.scale === "best") };
  },
});

export const infidelityNormalised = defineRemoval({
  ...common,
  id: "infidelity-normalised",
  title: "Infidelity, as a share of the losses",
  citation: `${common.citation} Divided as here.`,
  options,
  async measure(probe, removal) {
    const { said, lost } = await drawn(probe, removal);
    const cost = dot(lost, lost) / lost.length;
    return { value: cost > 0 ? infidelityOf(said, lost, true) / cost : 0 };
  },
});
