/**
 * Noisy linear imputation (ROAD): every missing pixel becomes the weighted mean of its eight neighbours, 1/6 beside and 1/12 across,
 * all solved at once, and a little noise. The system is a graph Laplacian: multigrid.ts solves it in single precision until what later
 * cycles would change is less than half of the noise (root mean square).
 */
import { multigrid, type Solver } from "./multigrid.js";
import { normalTable } from "./normal.js";
import type { Random } from "./random.js";

/** Fills the pixels marked in `missing` in every plane, in place; noise is on the scale [0, 1] of pixels. */
export type Imputer = (planes: readonly Float32Array[], missing: Uint8Array, random: Random, noise?: number) => void;

/** The solver of the last size: the pictures of an evaluation have one size, mostly, and nothing of one is left for the next. */
let kept: { readonly height: number; readonly width: number; readonly solver: Solver } | undefined;

function solverFor(height: number, width: number): Solver {
  if (kept?.height !== height || kept.width !== width) kept = { height, width, solver: multigrid(height, width) };
  return kept.solver;
}

/** For planes of one size. */
export function linearImputer(height: number, width: number): Imputer {
  return (planes, missing, random, noise = 0.01) => {
    let rows: Int32Array = Int32Array.of(0, height * width);
    if (!missing.includes(0)) {
      for (const plane of planes) plane.fill(0.5);
    } else {
      if (!missing.includes(1)) return;
      const solver = solverFor(height, width);
      rows = solver.mark(missing);
      solver.solve(planes, Math.max(noise / 2, 1e-7));
    }
    if (noise === 0) return;
    const normal = normalTable();
    let next = random.int(normal.length);
    for (const plane of planes) {
      for (let i = 0; i < rows.length; i += 2) {
        const end = rows[i + 1]!;
        for (let at = rows[i]!; at < end; at++) plane[at]! += noise * normal[next++ & (normal.length - 1)]!;
      }
    }
  };
}
