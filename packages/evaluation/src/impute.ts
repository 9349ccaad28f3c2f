/**
 * Noisy linear imputation (ROAD): every missing pixel becomes the weighted mean of its eight neighbours, 1/6 beside and 1/12 across,
 * all solved at once, and a little noise. The system is a graph Laplacian: multigrid.ts solves it until a cycle changes the pixels by
 * less than the noise, which leaves about half of that at most.
 */
import { multigrid } from "./multigrid.js";
import { normalTable } from "./normal.js";
import type { Random } from "./random.js";

/** Fills the pixels marked in `missing` in every plane, in place; noise is on the scale [0, 1] of pixels. */
export type Imputer = (planes: readonly Float32Array[], missing: Uint8Array, random: Random, noise?: number) => void;

/** For planes of one size; memory is made once, when first needed. */
export function linearImputer(height: number, width: number): Imputer {
  let solver: ReturnType<typeof multigrid> | undefined;
  return (planes, missing, random, noise = 0.01) => {
    if (!missing.includes(0)) {
      for (const plane of planes) plane.fill(0.5);
    } else if (missing.includes(1)) {
      solver ??= multigrid(height, width);
      solver.mark(missing);
      for (const plane of planes) solver.solve(plane, Math.max(noise, 1e-7));
    }
    if (noise === 0) return;
    const normal = normalTable();
    let next = random.int(normal.length);
    for (const plane of planes) {
      for (let i = 0; i < plane.length; i++) {
        if (missing[i]) plane[i]! += noise * normal[next++ & (normal.length - 1)]!;
      }
    }
  };
}
