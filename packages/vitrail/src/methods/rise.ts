/**
 * R_u = E[f(x ⊙ M) | M_u = 1] - E[f(x ⊙ M)] over random masks M, estimated by Σ f M_u / Σ M_u less the mean of f. Petsiuk et al. 2018,
 * equation 4, with the mean taken off: it is the same for every unit, and would hide the differences that the map is about.
 *
 * Masks of pictures are drawn on a coarse grid and stretched with a random shift (their section 3.2), here to the model's patches;
 * tokens are kept or hidden by themselves. The score is the logit, so that contrasts and several labels work as everywhere else.
 */
import { type Draw, draw } from "./draw.js";
import type { Units } from "./drive.js";
import type { DrivenMethod } from "./method.js";
import { perturbationOptions } from "./perturbation-options.js";

export const rise: DrivenMethod = {
  id: "rise",
  title: "RISE",
  citation: "Petsiuk, Das & Saenko. RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.",
  needs: ["many forwards"],
  classSpecific: true,
  kind: "tokens",
  signed: true,
  options: [
    {
      name: "masks",
      type: "integer",
      default: 1000,
      description: "how many random masks (4000 and more in the paper)",
    },
    { name: "keep", type: "number", default: 0.5, description: "how likely a cell or token stays (0.5 in the paper)" },
    { name: "cells", type: "integer", default: 7, description: "rows and columns of the coarse grid (7 in the paper)" },
    { name: "seed", type: "integer", default: 0, description: "another seed gives other masks" },
    ...perturbationOptions,
  ],
  drive: async ({ options, units, scores }) => {
    const { masks: count, keep, cells, seed } = options as Record<string, number>;
    const random = draw(seed!);
    const masks = Array.from({ length: count! }, () => drawMask(random, units, keep!, cells!));
    const found = await scores(count!, (i) => masks[i]!);
    const mean = found.reduce((sum, f) => sum + f, 0) / count!;
    const relevance = new Float32Array(units.count);
    for (const unit of units.removable) {
      let [weighted, weight] = [0, 0];
      for (const [i, mask] of masks.entries()) {
        weighted += (found[i]! - mean) * mask[unit]!;
        weight += mask[unit]!;
      }
      relevance[unit] = weight > 0 ? weighted / weight : 0;
    }
    return { relevance };
  },
};

/** One number per unit: 1 stays, 0 goes. */
export function drawMask(random: Draw, units: Units, keep: number, cells: number): Float32Array {
  const stays = () => (random.uniform() < keep ? 1 : 0);
  const mask = new Float32Array(units.count).fill(1);
  if (!units.grid || !units.partial || cells === 0) {
    for (const unit of units.removable) mask[unit] = stays();
    return mask;
  }
  const [rows, columns] = units.grid;
  const [high, wide] = [Math.min(cells, rows), Math.min(cells, columns)];
  // One point more on each side than cells, so that a shifted mask still covers the whole picture.
  const coarse = Float32Array.from({ length: (high + 2) * (wide + 2) }, stays);
  const [down, right] = [random.uniform(), random.uniform()];
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      mask[y * columns + x] = between(coarse, wide + 2, (y * high) / rows + down, (x * wide) / columns + right);
  return mask;
}

/** Bilinear between the four points around (y, x). */
function between(values: Float32Array, width: number, y: number, x: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [v, h] = [y - top, x - left];
  const row = (at: number) => values[at * width + left]! * (1 - h) + values[at * width + left + 1]! * h;
  return row(top) * (1 - v) + row(top + 1) * v;
}
