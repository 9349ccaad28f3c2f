/**
 * Mean of ∂f(x + n)/∂x over normal noise n of deviation `noise` times the range of x. Smilkov et al. 2017. A token's gradient is a
 * direction among the embeddings, so there its product with the embedding is given (many models norm embeddings first, and the sum
 * of a gradient's own numbers is then zero).
 */
import { addScaled } from "./add-scaled.js";
import { draw } from "./draw.js";
import { gradientProgram } from "./gradient-program.js";
import type { DrivenMethod } from "./method.js";

export const smoothGrad: DrivenMethod = {
  id: "smooth-grad",
  title: "SmoothGrad",
  citation: "Smilkov et al. SmoothGrad: removing noise by adding noise. 2017.",
  needs: ["gradient", "many forwards"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [
    { name: "samples", type: "integer", default: 50, description: "how many noisy points (50 in the paper)" },
    {
      name: "noise",
      type: "number",
      default: 0.15,
      description: "deviation of the noise as a share of the input's range (0.1 to 0.2 in the paper)",
    },
    {
      name: "timesInput",
      type: "boolean",
      default: false,
      description: "the mean gradient times the input, as it always is for tokens",
    },
    { name: "seed", type: "integer", default: 0, description: "another seed gives other noise" },
  ],
  program: gradientProgram,
  drive: async ({ options, embedded, point, gradients }) => {
    const { samples, noise, seed } = options as Record<string, number>;
    const x = await point();
    const { normal } = draw(seed!);
    const deviation = noise! * (extreme(x, Math.max) - extreme(x, Math.min));
    const relevance = new Float32Array(x.length);
    await gradients(
      samples!,
      () => (deviation > 0 ? x.map((v) => v + deviation * normal()) : x),
      (gradient) => addScaled(relevance, gradient, 1 / samples!),
    );
    if (options.timesInput || embedded) for (const [k, v] of x.entries()) relevance[k]! *= v;
    return { relevance };
  },
};

const extreme = (values: Float32Array, pick: (a: number, b: number) => number): number =>
  values.reduce((a, b) => pick(a, b), values[0] ?? 0);
