/**
 * Noisy linear imputation (ROAD): every missing pixel becomes the weighted mean of its eight neighbours, 1/6 beside and 1/12 across,
 * all solved at once. The system is a graph Laplacian, so conjugate gradients solve it; means of ever larger squares start it.
 */
import type { Random } from "./random.js";

const beside = 1 / 6;
const across = 1 / 12;

interface Grid {
  readonly height: number;
  readonly width: number;
  readonly missing: Uint8Array;
}

/** Fills the missing pixels of every plane in place; noise is scaled to the range [0, 1] of pixels. */
export function imputeLinear(planes: readonly Float32Array[], grid: Grid, random: Random, noise = 0.01): void {
  if (!grid.missing.includes(0)) {
    for (const plane of planes) plane.fill(0.5);
  } else {
    for (const plane of planes) solve(plane, grid);
  }
  for (const plane of planes) {
    for (let i = 0; i < plane.length; i++) if (grid.missing[i]) plane[i]! += noise * random.normal();
  }
}

/** Calls `visit` with each neighbour inside the picture and its weight. */
function neighbours({ height, width }: Grid, at: number, visit: (neighbour: number, weight: number) => void): void {
  const row = Math.floor(at / width);
  const column = at - row * width;
  for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
      if (y !== row || x !== column) visit(y * width + x, y === row || x === column ? beside : across);
    }
  }
}

function solve(plane: Float32Array, grid: Grid): void {
  const { missing } = grid;
  pyramid(plane, grid);
  const unknown = Uint32Array.from(missing.keys()).filter((i) => missing[i]);
  const residual = new Float64Array(plane.length);
  const direction = new Float64Array(plane.length);
  const image = new Float64Array(plane.length);
  /** The Laplacian of `source` at the unknown pixels. */
  const laplacian = (source: ArrayLike<number>, target: Float64Array) => {
    for (const at of unknown) {
      let value = 0;
      neighbours(grid, at, (other, weight) => {
        value += weight * (source[at]! - source[other]!);
      });
      target[at] = value;
    }
  };
  laplacian(plane, residual);
  let square = 0;
  for (const at of unknown) {
    residual[at] = -residual[at]!;
    direction[at] = residual[at]!;
    square += residual[at]! ** 2;
  }
  const goal = unknown.length * 1e-4 ** 2;
  for (let step = 0; step < 200 && square > goal; step++) {
    laplacian(direction, image);
    let curvature = 0;
    for (const at of unknown) curvature += direction[at]! * image[at]!;
    const length = square / curvature;
    let next = 0;
    for (const at of unknown) {
      plane[at]! += length * direction[at]!;
      residual[at]! -= length * image[at]!;
      next += residual[at]! ** 2;
    }
    for (const at of unknown) direction[at] = residual[at]! + (next / square) * direction[at]!;
    square = next;
  }
}

/** First guess: the mean of the known pixels in the smallest enclosing square of a doubling grid. */
function pyramid(plane: Float32Array, { height, width, missing }: Grid): void {
  let open = Uint32Array.from(missing.keys()).filter((i) => missing[i]);
  for (let side = 2; open.length > 0; side *= 2) {
    const columns = Math.ceil(width / side);
    const total = new Float64Array(columns * Math.ceil(height / side));
    const count = new Uint32Array(total.length);
    const cell = (at: number) => Math.floor(Math.floor(at / width) / side) * columns + Math.floor((at % width) / side);
    for (let at = 0; at < plane.length; at++) {
      if (missing[at]) continue;
      total[cell(at)]! += plane[at]!;
      count[cell(at)]!++;
    }
    open = open.filter((at) => {
      const here = cell(at);
      if (count[here] === 0) return true;
      plane[at] = total[here]! / count[here]!;
      return false;
    });
  }
}
