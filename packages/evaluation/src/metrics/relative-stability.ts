/**
 * Relative stabilities under small uniform noise, the largest of n draws x'. Quotients are taken value by value.
 *
 *   RIS = || (R(x) - R(x')) / R(x) || / max( || (x - x') / x ||, e )
 *   ROS = || (R(x) - R(x')) / R(x) || / max( || f(x) - f(x') ||, e ),   f the logits
 *
 * Draws after which the model says another class are left out, as the authors do. Values of 0 are divided by e.
 */
import { defineMetric, type Options, type Probe } from "../metric.js";
import { argmax } from "../model.js";

const options = {
  radius: { title: "noise, as a share of the input's range", default: 0.02, min: 0, max: 1 },
  draws: { title: "draws", default: 10, min: 1, max: 1000 },
} as const satisfies Options;

const tiny = 1e-6;
const norm = (values: Float32Array | readonly number[]): number =>
  Math.sqrt((values as readonly number[]).reduce((total, value) => total + value * value, 0));

/** The norm of what changed, in shares of each value. */
export function relativeChange(before: ArrayLike<number>, after: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < before.length; i++) total += ((before[i]! - after[i]!) / (before[i]! || tiny)) ** 2;
  return Math.sqrt(total);
}

async function largest(
  probe: Probe<typeof options>,
  step: (input: unknown, logits: Float32Array) => number,
): Promise<number> {
  const { subject, target } = probe.case;
  const before = argmax(await probe.logits());
  const ratios: number[] = [];
  for (let draw = 0; draw < probe.options.draws; draw++) {
    const input = subject.noisy!(probe.options.radius, probe.random);
    const [logits] = await probe.predict(1, () => input);
    if (argmax(logits!) !== before) continue;
    const map = await probe.explainer.explain(input, target);
    ratios.push(relativeChange(probe.relevance, map) / Math.max(step(input, logits!), tiny));
  }
  return ratios.length > 0 ? Math.max(...ratios) : Number.NaN;
}

const common = {
  citation: "Agarwal et al. Rethinking Stability for Attribution-based Explanations. 2022.",
  direction: "down",
  group: "robustness",
  options,
  caveat: "values near 0 dominate: compare methods by it only where their maps are dense",
} as const;

export const relativeInputStability = defineMetric({
  ...common,
  id: "relative-input-stability",
  title: "Relative input stability",
  needs: ["model", "noise", "input-values", "second-map"],
  async measure(probe) {
    const { values, input } = probe.case.subject;
    const before = values!(input);
    return { value: await largest(probe, (noisy) => relativeChange(before, values!(noisy as never))) };
  },
});

export const relativeOutputStability = defineMetric({
  ...common,
  id: "relative-output-stability",
  title: "Relative output stability",
  needs: ["model", "noise", "second-map"],
  async measure(probe) {
    const before = await probe.logits();
    return { value: await largest(probe, (_, logits) => norm(logits.map((value, i) => value - before[i]!))) };
  },
});
