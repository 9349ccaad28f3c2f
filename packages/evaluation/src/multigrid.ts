/**
 * A multigrid solver for the missing pixels of a picture, each the weighted mean of its eight neighbours (1/6 beside, 1/12 across).
 *
 * Nested iteration: each grid starts from the solution of the next coarser one, enlarged, and is corrected by a V-cycle: a Gauss-Seidel
 * sweep, the coarser grid's correction for the sum of what the equations still lack, a sweep. Four planes are solved together; the loops
 * over cells are WebAssembly (sweeps.ts).
 *
 * Brandt. Multi-Level Adaptive Solutions to Boundary-Value Problems. Mathematics of Computation 1977.
 */
import { bytesOf, coarsen, firstOf, type Grid, gridOf, repeatEdges, rowsOf, type Shape, weighPixels } from "./grid.js";
import { cell, type Loops, loopsOver } from "./sweeps.js";

export interface Solver {
  /** Marks the pixels to solve for with 1; one at least must be known. Returns where rows of them begin and end in a plane. */
  mark(missing: Uint8Array): Int32Array;
  /**
   * Solves planes of `height * width` values in place, until what later cycles would change in each is less than `tolerance` (root mean
   * square), or single precision has no more.
   */
  solve(planes: readonly Float32Array[], tolerance: number): void;
}

interface Levels {
  readonly grids: readonly Grid[];
  readonly loops: Loops;
  /** Sums of squares: what the last sweep changed and what the correction was. */
  readonly sums: Float32Array;
  readonly keep: readonly [zero: Float32Array, one: Float32Array];
}

/** A solver for planes of one size; its memory is made once. */
export function multigrid(height: number, width: number): Solver {
  const levels = levelsOf(height, width);
  const [fine] = levels.grids as [Grid];
  const { stride, unknown, value } = fine;
  const nothing = new Float32Array(height * width);
  let rows: Int32Array = new Int32Array();
  /** Every pixel, then zeros where it is unknown: without branches. The border is zero from the start, and nothing writes there. */
  const load = ([a = nothing, b = nothing, c = nothing, d = nothing]: readonly Float32Array[]) => {
    for (let row = 0, from = 0; row < height; row++) {
      const first = 4 * firstOf(stride, row);
      for (let at = first; at < first + 4 * width; at += 4, from++) {
        value[at] = a[from]!;
        value[at + 1] = b[from]!;
        value[at + 2] = c[from]!;
        value[at + 3] = d[from]!;
      }
    }
    levels.loops.clear(...runsIn(fine), value.byteOffset);
  };
  const unload = (plane: Float32Array, lane: number) => {
    for (let i = 0; i < rows.length; i += 2) {
      const [start, end] = [rows[i]!, rows[i + 1]!];
      const row = Math.floor(start / width);
      let from = 4 * (firstOf(stride, row) + start - row * width) + lane;
      for (let to = start; to < end; to++, from += 4) plane[to] = value[from]!;
    }
  };
  return {
    mark(missing) {
      for (let row = 0; row < height; row++) {
        unknown.set(missing.subarray(row * width, (row + 1) * width), firstOf(stride, row));
      }
      weighPixels(fine);
      for (let level = 1; level < levels.grids.length; level++) coarsen(levels.grids[level - 1]!, levels.grids[level]!);
      rows = rowsOf(fine);
      return rows;
    },
    solve(planes, tolerance) {
      for (let i = 0; i < planes.length; i += 4) {
        const four = planes.slice(i, i + 4);
        load(four);
        iterate(levels, tolerance);
        four.forEach(unload);
      }
    },
  };
}

/** What a cycle leaves of an error at most, but in pictures of a few rows or columns. */
const usualRate = 1 / 3;
/** Below this single precision may have no more. */
const precision = 1e-5;

function iterate(levels: Levels, tolerance: number): void {
  nest(levels);
  let [last, lastButOne] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let cycles = 0; cycles < 100; cycles++) {
    cycle(levels, 0, levels.grids[0]!.value);
    const change = changeOf(levels);
    // Two steps say more than one: in low pictures a good cycle may follow a bad one.
    const rate = Math.max(usualRate, change / last, Math.sqrt(change / lastButOne));
    // What later cycles would change: a geometric series.
    if (rate < 1 && (change * rate) / (1 - rate) <= tolerance) break;
    if (rate >= 1 && change < precision) break;
    [last, lastButOne] = [change, last];
  }
}

function levelsOf(height: number, width: number): Levels {
  const shapes: Shape[] = [{ height, width }];
  for (let finer = shapes[0]!; Math.max(finer.height, finer.width) > 1; ) {
    finer = { height: Math.ceil(finer.height / 2), width: Math.ceil(finer.width / 2), finer };
    shapes.push(finer);
  }
  const own = 4 * cell;
  const { loops, buffer } = loopsOver(shapes.reduce((bytes, shape) => bytes + bytesOf(shape), own));
  let free = 0;
  const take = (length: number): number => {
    const place = free;
    free += Math.ceil((4 * length) / cell) * cell;
    return place;
  };
  const floats = (length: number) => new Float32Array(buffer, take(length), length);
  const wholes = (length: number) => new Int32Array(buffer, take(length), length);
  const sums = floats(8);
  const keep = [floats(4).fill(0), floats(4).fill(1)] as const;
  return { grids: shapes.map((shape) => gridOf(shape, { floats, wholes })), loops, sums, keep };
}

/** Where the rows of unknown cells begin and end in memory. */
const runsIn = ({ runs, used }: Grid): [number, number] => [runs.byteOffset, runs.byteOffset + 4 * used];
const edges = ({ edge, held }: Grid): [number, number] => [edge.byteOffset, edge.byteOffset + 8 * held];

/** The first guess: the equations brought down to the coarsest grid, and their solutions up again. */
function nest(levels: Levels): void {
  const { grids, loops, keep } = levels;
  for (let level = 1; level < grids.length; level++) {
    const [finer, grid] = [grids[level - 1]!, grids[level]!];
    grid.value.fill(0);
    grid.right.fill(0);
    const to = [grid.right.byteOffset, grid.pull.byteOffset] as const;
    if (level > 1) loops.passOn(...edges(finer), finer.right.byteOffset, ...to);
    else loops.gather(...edges(finer), finer.value.byteOffset, finer.stride * cell, ...to);
    average(loops, finer, level > 1 ? finer.known : finer.value, grid);
    loops.clear(...runsIn(grid), grid.known.byteOffset);
  }
  for (let level = grids.length - 1; level > 0; level--) {
    const [finer, { value, known }] = [grids[level - 1]!, grids[level]!];
    cycle(levels, level, value);
    loops.add(value.byteOffset, value.byteOffset + value.byteLength, known.byteOffset);
    repeatEdges(grids[level]!, value);
    loops.enlarge(...runsIn(finer), value.byteOffset, finer.value.byteOffset, keep[0].byteOffset);
  }
}

/** Coarse cells take the mean of their finer cells; that of unknown cells is of no use. */
function average(loops: Loops, fine: Grid, from: Float32Array, { height, stride, known }: Grid): void {
  for (let row = 0; row < height; row++) {
    const upper = from.byteOffset + firstOf(fine.stride, 2 * row) * cell;
    const lower = 2 * row + 1 < fine.height ? upper + fine.stride * cell : upper;
    const to = known.byteOffset + firstOf(stride, row) * cell;
    const pairs = fine.width >> 1;
    loops.average(upper, lower, to, to + pairs * cell, cell);
    if (fine.width & 1) {
      const done = 2 * pairs * cell;
      loops.average(upper + done, lower + done, to + pairs * cell, to + (pairs + 1) * cell, 0);
    }
  }
}

/** Takes away most of the error of `x`. */
function cycle(levels: Levels, level: number, x: Float32Array): void {
  const { grids, loops, sums, keep } = levels;
  const [grid, coarse] = [grids[level]!, grids[level + 1]];
  const { stride, right, spare, inverse } = grid;
  const equations = [x.byteOffset, stride * cell, right.byteOffset, spare.byteOffset] as const;
  const sweep = () => loops.sweep(...runsIn(grid), ...equations, inverse.byteOffset, sums.byteOffset);
  sweep();
  if (!coarse) return;
  const { correction } = coarse;
  coarse.right.fill(0);
  loops.restrict(...runsIn(grid), ...equations, coarse.right.byteOffset, coarse.gain.byteOffset);
  correction.fill(0);
  cycle(levels, level + 1, correction);
  if (level === 0) {
    loops.square(correction.byteOffset, correction.byteOffset + correction.byteLength, sums.byteOffset + cell);
  }
  repeatEdges(coarse, correction);
  loops.enlarge(...runsIn(grid), correction.byteOffset, x.byteOffset, keep[1].byteOffset);
  sweep();
}

/**
 * By how much the last cycle on the finest grid changed a plane: the larger of the root mean square of the coarse correction and of the
 * last sweep.
 */
function changeOf({ grids, sums }: Levels): number {
  const [fine, coarse] = grids as readonly [Grid, Grid];
  const squares = sums.map((sum, i) => sum / (i < 4 ? fine : coarse).cells);
  return Math.sqrt(Math.max(...squares));
}
