/**
 * A multigrid solver for the missing pixels of a picture, each the weighted mean of its eight neighbours (1/6 beside, 1/12 across).
 *
 * Nested iteration: each grid starts from the solution of the next coarser one, enlarged, and is corrected by a V-cycle: a Gauss-Seidel
 * sweep, the coarser grid's correction for the sum of what the equations still lack, a sweep.
 *
 * Brandt. Multi-Level Adaptive Solutions to Boundary-Value Problems. Mathematics of Computation 1977.
 */
import {
  averageKnown,
  coarsen,
  enlarge,
  finestGrid,
  type Grid,
  gatherKnown,
  gridOf,
  restrictResidual,
  sweep,
  weighPixels,
} from "./grid.js";

export interface Solver {
  /** Marks the pixels to solve for with 1; one at least must be known. */
  mark(missing: Uint8Array): void;
  /** Solves one plane of `height * width` values in place, until a cycle changes it by less than `tolerance` (root mean square). */
  solve(plane: Float32Array, tolerance: number): void;
}

/** A solver for planes of one size; its memory is made once. */
export function multigrid(height: number, width: number): Solver {
  const fine = finestGrid(height, width);
  const grids = [fine];
  for (let high = height, wide = width; Math.max(high, wide) > 1; ) {
    [high, wide] = [Math.ceil(high / 2), Math.ceil(wide / 2)];
    grids.push(gridOf(high, wide));
  }
  const { stride } = fine;
  return {
    mark(missing) {
      for (let row = 0, from = 0; row < height; row++) {
        const start = (row + 1) * stride + 1;
        for (let at = start; at < start + width; at++) fine.unknown[at] = missing[from++]!;
      }
      weighPixels(fine);
      for (let level = 1; level < grids.length; level++) coarsen(grids[level - 1]!, grids[level]!);
    },
    solve(plane, tolerance) {
      const { value } = fine;
      for (let row = 0, from = 0; row < height; row++) {
        const start = (row + 1) * stride + 1;
        for (let at = start; at < start + width; at++) value[at] = plane[from++]!;
      }
      nest(grids);
      for (let cycles = 0; cycles < 100 && cycle(grids, 0, value) > tolerance; ) cycles++;
      for (let i = 0; i < fine.ends; i += 3) {
        const end = fine.runs[i + 1]!;
        let at = fine.runs[i]!;
        const row = fine.runs[i + 2]!;
        let to = row * width + at - (row + 1) * stride - 1;
        while (at < end) plane[to++] = value[at++]!;
      }
    },
  };
}

/** The first guess: the equations brought down to the coarsest grid, and their solutions up again. */
function nest(grids: readonly Grid[]): void {
  const [{ value, runs, ends }] = grids as readonly [Grid];
  for (let i = 0; i < ends; i += 3) value.fill(0, runs[i], runs[i + 1]);
  for (let level = 1; level < grids.length; level++) {
    const [finer, grid] = [grids[level - 1]!, grids[level]!];
    grid.value.fill(0);
    gatherKnown(finer, grid, level === 1);
    averageKnown(finer, level === 1 ? value : finer.known, grid);
  }
  for (let level = grids.length - 1; level > 0; level--) {
    const [finer, grid] = [grids[level - 1]!, grids[level]!];
    cycle(grids, level, grid.value);
    for (let at = 0; at < grid.value.length; at++) grid.value[at]! += grid.known[at]!;
    enlarge(grid, grid.value, finer, finer.value, 0);
  }
}

/**
 * Takes away most of the error of `x`. On the finest grid it returns by how much `x` changed: the larger of the coarse correction's root
 * mean square and the last sweep's.
 */
function cycle(grids: readonly Grid[], level: number, x: Float64Array): number {
  const grid = grids[level]!;
  const coarse = grids[level + 1];
  sweep(grid, x);
  if (!coarse) return 0;
  const { correction, cells } = coarse;
  restrictResidual(grid, x, coarse);
  correction.fill(0);
  cycle(grids, level + 1, correction);
  enlarge(coarse, correction, grid, x, 1);
  if (level > 0) return sweep(grid, x);
  let squares = 0;
  for (let at = 0; at < correction.length; at++) squares += correction[at]! * correction[at]!;
  return Math.sqrt(Math.max(squares / cells, sweep(grid, x, true) / grid.cells));
}
