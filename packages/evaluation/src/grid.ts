/**
 * One resolution of a picture whose unknown cells satisfy `own x = right + sum of weight * unknown neighbour`: what is unknown, in rows,
 * and with what weights. sweeps.ts calculates with it, multigrid.ts puts both together.
 */
import { across, beside, cell, run } from "./sweeps.js";

/**
 * What remains of the weights of known neighbours when cells are joined in fours. One half would do if cells at the edge of a hole had
 * their known neighbours at a cell's distance; they are nearer. With 1 the corrections at edges are too small, with 1/2 too large, up to
 * divergence; in between a cycle leaves a third of the error or less, whatever the shape of the holes. Along a strip a hole has no more
 * than two ends, and all depends on them: there too small is better, and a cycle may leave two thirds.
 */
const pullOf = ({ height, width }: Shape): number => (Math.min(height, width) < 9 ? 1 : 0.8);

/**
 * A row of `length` cells beside another is tied to it by `2 length - 1` sixths: each cell to the one beside and to two across, but for
 * those at the ends. Half of that should tie a coarse row to the next, whose values differ by twice as much; where a picture is only
 * some cells high or wide, that is not what the same weights give, and its coarse equations are scaled.
 */
const tie = (length: number): number => 2 * length - 1;

/** How far a sweep goes. In a single row all cells take old values, and what alternates from cell to cell would only change its sign. */
const relaxation = ({ height, width }: Grid): number => (height === 1 && width > 1 ? 2 / 3 : 1);

/** Arrays have a border of one cell of zeros, so that no cell needs to know where it is. Those of floats have four planes in a cell. */
export interface Grid {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  readonly unknown: Uint8Array;
  /** The rows of unknown cells, as sweeps.ts reads them: `used` numbers, `cells` cells. */
  readonly runs: Int32Array;
  used: number;
  cells: number;
  /** The unknown cells that have known neighbours, and the coarser cells in which they lie: `held` pairs of places in bytes. */
  readonly edge: Int32Array;
  held: number;
  /** Sum of the weights of known neighbours. */
  readonly hold: Float64Array;
  /**
   * Of each row by how many cells its equations lie before its cells. Those of the finest grid are the same in all rows but the first and
   * the last, and are kept once, near the processor.
   */
  readonly shift: Int32Array;
  /** The equations, one number for all planes: 1 - own and relaxation / own, where `own` is the sum of the weights of all neighbours; */
  readonly spare: Float32Array;
  readonly inverse: Float32Array;
  /** and what known neighbours give. Nothing on the finest grid, where they stand in `value` themselves. */
  readonly right: Float32Array;
  readonly value: Float32Array;
  /** By what its right-hand side and the weights of known neighbours are multiplied when they come from the finer grid. */
  readonly gain: Float32Array;
  readonly pull: Float32Array;
  /** Of all but the finest. */
  readonly correction: Float32Array;
  /** Of all but the finest: the mean of each cell that is known. */
  readonly known: Float32Array;
}

export interface Shape {
  readonly height: number;
  readonly width: number;
  /** The grid whose cells are joined in fours, if this is not the finest. */
  readonly finer?: Shape;
}

const strideOf = ({ width }: Pick<Shape, "width">) => width + 2;
const sizeOf = ({ height, width }: Shape) => (height + 2) * (width + 2);
const equationsOf = (shape: Shape) => strideOf(shape) * ((shape.finer ? shape.height : Math.min(shape.height, 3)) + 2);
const runsOf = ({ height, width }: Shape) => height * Math.ceil(width / 2);

/** How many bytes a grid takes, each of its arrays rounded up to whole cells. */
export function bytesOf(shape: Shape): number {
  const cells = sizeOf(shape) * (shape.finer ? 3 : 1) + equationsOf(shape) * 1.5;
  return cells * cell + runsOf(shape) * run.size + shape.height * shape.width * 8 + 8 * cell;
}

/** A grid whose arrays are taken from a memory. */
export function gridOf(
  shape: Shape,
  { floats, wholes }: { floats(length: number): Float32Array; wholes(length: number): Int32Array },
): Grid {
  const { height, width, finer } = shape;
  const gain = finer ? (4 * tie(height) * tie(width)) / (tie(finer.height) * tie(finer.width)) : 1;
  const size = sizeOf(shape);
  const planes = (cells: number) => floats(4 * cells);
  const grid: Grid = {
    height,
    width,
    stride: strideOf(shape),
    unknown: new Uint8Array(size),
    runs: wholes((runsOf(shape) * run.size) / 4),
    used: 0,
    cells: 0,
    edge: wholes(2 * height * width),
    held: 0,
    hold: new Float64Array(size),
    shift: new Int32Array(height),
    spare: floats(equationsOf(shape)),
    inverse: floats(equationsOf(shape)),
    right: planes(equationsOf(shape)),
    value: planes(size),
    gain: floats(1).fill(gain),
    pull: floats(1).fill(gain * pullOf(shape)),
    correction: planes(finer ? size : 0),
    known: planes(finer ? size : 0),
  };
  if (!finer) weighAll(grid);
  return grid;
}

/** The equations of pixels do not depend on which are unknown. */
function weighAll(grid: Grid): void {
  const { height, width, stride, shift, spare, inverse } = grid;
  for (let row = 0; row < height; row++) {
    shift[row] = (row - Math.min(row, row < height - 1 ? 1 : 2)) * stride;
    for (let column = 0, at = firstOf(stride, row) - shift[row]!; column < width; column++, at++) {
      const own = weightAt(row, column, height, width);
      spare[at] = 1 - own;
      inverse[at] = relaxation(grid) / own;
    }
  }
}

/** Sum of the weights of all neighbours. */
function weightAt(row: number, column: number, height: number, width: number): number {
  const high = Number(row > 0) + Number(row < height - 1);
  const wide = Number(column > 0) + Number(column < width - 1);
  return beside * (high + wide) + across * high * wide;
}

const rowOf = (stride: number, at: number): number => Math.floor(at / stride) - 1;
/** The place of a row's first cell. */
export const firstOf = (stride: number, row: number): number => (row + 1) * stride + 1;

/** Where rows of unknown cells begin and end, in an array without a border. */
export function rowsOf(grid: Grid): Int32Array {
  const { used, stride, width } = grid;
  const result = new Int32Array((2 * used) / (run.size / 4));
  let i = 0;
  forRuns(grid, (start, end) => {
    const row = rowOf(stride, start);
    const first = row * width + start - firstOf(stride, row);
    result[i++] = first;
    result[i++] = first + end - start;
  });
  return result;
}

/** Calls `each` with where a row of unknown cells begins and ends. */
function forRuns({ runs, used }: Grid, each: (start: number, end: number) => void): void {
  for (let i = 0; i < used; i += run.size / 4) {
    each(runs[i + run.begin / 4]! / cell, runs[i + run.end / 4]! / cell);
  }
}

function findRuns(grid: Grid): void {
  const { height, width, stride, unknown, runs, shift } = grid;
  const coarseStride = strideOf({ width: Math.ceil(width / 2) });
  let used = 0;
  grid.cells = 0;
  for (let row = 0; row < height; row++) {
    const first = firstOf(stride, row);
    const coarseFirst = firstOf(coarseStride, row >> 1);
    // The coarse row on the other side of the fine one.
    const far = row & 1 ? coarseStride : -coarseStride;
    for (let at = first; at < first + width; at++) {
      if (unknown[at] === 0) continue;
      const start = at;
      while (unknown[at] === 1) at++;
      runs[used + run.begin / 4] = start * cell;
      runs[used + run.end / 4] = at * cell;
      runs[used + run.equation / 4] = (start - shift[row]!) * cell;
      runs[used + run.coarse / 4] = (coarseFirst + ((start - first) >> 1)) * cell;
      runs[used + run.odd / 4] = (start - first) & 1;
      runs[used + run.far / 4] = far * cell;
      used += run.size / 4;
      grid.cells += at - start;
    }
  }
  grid.used = used;
}

/** Sum of the weights of unknown neighbours. */
function open({ unknown, stride }: Grid, at: number): number {
  const [above, below] = [at - stride, at + stride];
  const sides = unknown[at - 1]! + unknown[at + 1]! + unknown[above]! + unknown[below]!;
  const corners = unknown[above - 1]! + unknown[above + 1]! + unknown[below - 1]! + unknown[below + 1]!;
  return beside * sides + across * corners;
}

/** The finest grid, when it was marked what is unknown. */
export function weighPixels(grid: Grid): void {
  findRuns(grid);
  grid.held = 0;
  const { height, width, stride, unknown, hold, edge } = grid;
  forRuns(grid, (start, end) => {
    const row = rowOf(stride, start);
    const first = firstOf(stride, row);
    // How many are unknown beside a cell and across, from those above and below in the columns before, at and after it.
    let before = unknown[start - 1 - stride]! + unknown[start - 1 + stride]!;
    let middle = unknown[start - stride]! + unknown[start + stride]!;
    for (let at = start; at < end; at++) {
      const after = unknown[at + 1 - stride]! + unknown[at + 1 + stride]!;
      const sides = unknown[at - 1]! + unknown[at + 1]! + middle;
      const corners = before + after;
      before = middle;
      middle = after;
      if (sides + corners === 8) continue;
      const held = weightAt(row, at - first, height, width) - beside * sides - across * corners;
      if (held < 1e-9) continue;
      hold[at] = held;
      edge[2 * grid.held++] = at * cell;
    }
  });
}

/** A coarse cell is unknown where any of its finer cells is, and held by what holds those. */
export function coarsen(fine: Grid, coarse: Grid): void {
  const { unknown, hold, stride, spare, inverse, edge } = coarse;
  unknown.fill(0);
  hold.fill(0);
  forRuns(fine, (start, end) => {
    const row = rowOf(fine.stride, start);
    const [from, to] = [firstOf(fine.stride, row), firstOf(stride, row >> 1)];
    const last = to + ((end - 1 - from) >> 1);
    for (let at = to + ((start - from) >> 1); at <= last; at++) unknown[at] = 1;
  });
  for (let i = 0; i < 2 * fine.held; i += 2) {
    const at = fine.edge[i]! / cell;
    const row = rowOf(fine.stride, at);
    const place = firstOf(stride, row >> 1) + ((at - firstOf(fine.stride, row)) >> 1);
    fine.edge[i + 1] = place * cell;
    hold[place]! += coarse.pull[0]! * fine.hold[at]!;
  }
  findRuns(coarse);
  coarse.held = 0;
  forRuns(coarse, (start, end) => {
    for (let at = start; at < end; at++) {
      const own = hold[at]! + open(coarse, at);
      spare[at] = 1 - own;
      inverse[at] = relaxation(coarse) / own;
      if (hold[at]! > 0) edge[2 * coarse.held++] = at * cell;
    }
  });
}

/** Border cells take the values of those beside them. */
export function repeatEdges({ height, width, stride }: Grid, values: Float32Array): void {
  const row = 4 * stride;
  for (let at = row; at <= height * row; at += row) {
    values.copyWithin(at, at + 4, at + 8);
    values.copyWithin(at + 4 * (width + 1), at + 4 * width, at + 4 * (width + 1));
  }
  values.copyWithin(0, row, 2 * row);
  values.copyWithin((height + 1) * row, height * row, (height + 1) * row);
}
