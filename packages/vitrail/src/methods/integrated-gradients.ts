/**
 * (x - x') ⊙ ∫ ∂f(x' + α (x - x')) / ∂x dα over α from 0 to 1. Sundararajan et al. 2017, equation 1. The integral is a weighted sum
 * over `steps` points; how far the map misses f(x) - f(x') is reported with it (their axiom of completeness).
 */

import { addScaled } from "./add-scaled.js";
import { gradientProgram } from "./gradient-program.js";
import type { DrivenMethod } from "./method.js";
import { quadrature, quadratureRules } from "./quadrature.js";

export const integratedGradients: DrivenMethod = {
  id: "integrated-gradients",
  title: "Integrated gradients",
  citation: "Sundararajan, Taly & Yan. Axiomatic Attribution for Deep Networks. ICML 2017.",
  needs: ["gradient", "many forwards"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [
    { name: "steps", type: "integer", default: 50, description: "points on the path (20 to 300 in the paper)" },
    {
      name: "rule",
      type: "string",
      default: "gauss",
      choices: quadratureRules,
      description:
        '"gauss" (Gauss-Legendre), "midpoint", or "right" (the paper\'s sum; with one step it is gradient x input)',
    },
    {
      name: "baseline",
      type: "number",
      default: 0,
      negative: true,
      description:
        "every number of the point x' where the path starts: of the input as the model takes it, or of the embeddings",
    },
  ],
  program: gradientProgram,
  drive: async ({ options, score, point, gradients, scoreAt }) => {
    const baseline = options.baseline as number;
    const { nodes, weights } = quadrature(options.rule as string, options.steps as number);
    const x = await point();
    const mean = new Float64Array(x.length);
    await gradients(
      nodes.length,
      (i) => pointOnPath(x, baseline, nodes[i]!),
      (gradient, i) => addScaled(mean, gradient, weights[i]!),
    );
    const relevance = x.map((v, k) => (v - baseline) * mean[k]!);
    const difference = score - (await scoreAt(new Float32Array(x.length).fill(baseline)));
    const sum = relevance.reduce((total, r) => total + r, 0);
    return { relevance, completeness: { sum, difference, error: Math.abs(sum - difference) / Math.abs(difference) } };
  },
};

/** x' + α (x - x'), in a plain loop for the reason given in add-scaled.ts. */
function pointOnPath(x: Float32Array, baseline: number, alpha: number): Float32Array {
  const point = new Float32Array(x.length);
  for (let k = 0; k < point.length; k++) point[k] = baseline + alpha * (x[k]! - baseline);
  return point;
}
