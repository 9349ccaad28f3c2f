/**
 * Noisy linear imputation (ROAD): every missing pixel becomes the weighted mean of its eight neighbours, 1/6 beside and 1/12 across,
 * all solved at once. The system is a graph Laplacian, so conjugate gradients solve it; means of ever larger squares start it.
 * They stop when the equations hold to a fifth of the noise that is added in the end.
 */
import type { Random } from "./random.js";

const beside = 1 / 6;
const across = 1 / 12;

interface Grid {
  readonly height: number;
  readonly width: number;
  readonly missing: Uint8Array;
}

/** Fills the missing pixels of every plane in place; noise is on the scale [0, 1] of pixels. */
export function imputeLinear(planes: readonly Float32Array[], grid: Grid, random: Random, noise = 0.01): void {
  if (!grid.missing.includes(0)) {
    for (const plane of planes) plane.fill(0.5);
  } else {
    const system = laplacianOf(grid);
    for (const plane of planes) {
      pyramid(plane, grid);
      solve(plane, grid, system, Math.max(noise / 5, 1e-4));
    }
  }
  for (const plane of planes) {
    for (let i = 0; i < plane.length; i++) if (grid.missing[i]) plane[i]! += noise * random.normal();
  }
}

type System = ReturnType<typeof laplacianOf>;

/** The equations on a grid with a border of one empty pixel, so that no pixel needs to know where it is. */
function laplacianOf({ height, width, missing }: Grid) {
  const stride = width + 2;
  const size = stride * (height + 2);
  const unknown = new Uint32Array(missing.reduce((total, value) => total + value, 0));
  const own = new Float64Array(unknown.length);
  for (let at = 0, k = 0; at < missing.length; at++) {
    if (!missing[at]) continue;
    const row = Math.floor(at / width);
    const column = at - row * width;
    const [high, wide] = [Number(row > 0) + Number(row < height - 1), Number(column > 0) + Number(column < width - 1)];
    own[k] = beside * (high + wide) + across * high * wide;
    unknown[k++] = (row + 1) * stride + column + 1;
  }
  /** Own weight times value minus the weighted neighbours, at the unknown pixels. */
  const apply = (x: Float64Array, target: Float64Array) => {
    for (let k = 0; k < unknown.length; k++) {
      const at = unknown[k]!;
      const [above, below] = [at - stride, at + stride];
      const sides = x[at - 1]! + x[at + 1]! + x[above]! + x[below]!;
      const corners = x[above - 1]! + x[above + 1]! + x[below - 1]! + x[below + 1]!;
      target[at] = own[k]! * x[at]! - beside * sides - across * corners;
    }
  };
  return { stride, size, unknown, apply };
}

/** Conjugate gradients until the root mean square of the residual is below `tolerance`. */
function solve(
  plane: Float32Array,
  { height, width }: Grid,
  { stride, size, unknown, apply }: System,
  tolerance: number,
): void {
  const x = new Float64Array(size);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) x[(row + 1) * stride + column + 1] = plane[row * width + column]!;
  }
  const [residual, direction, image] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  apply(x, residual);
  let square = 0;
  for (const at of unknown) {
    residual[at] = -residual[at]!;
    direction[at] = residual[at]!;
    square += residual[at]! ** 2;
  }
  const goal = unknown.length * tolerance ** 2;
  for (let step = 0; step < 200 && square > goal; step++) {
    apply(direction, image);
    let curvature = 0;
    for (let k = 0; k < unknown.length; k++) curvature += direction[unknown[k]!]! * image[unknown[k]!]!;
    const length = square / curvature;
    let next = 0;
    for (let k = 0; k < unknown.length; k++) {
      const at = unknown[k]!;
      x[at]! += length * direction[at]!;
      residual[at]! -= length * image[at]!;
      next += residual[at]! ** 2;
    }
    const turn = next / square;
    for (let k = 0; k < unknown.length; k++)
      direction[unknown[k]!] = residual[unknown[k]!]! + turn * direction[unknown[k]!]!;
    square = next;
  }
  for (const at of unknown) plane[(Math.floor(at / stride) - 1) * width + (at % stride) - 1] = x[at]!;
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
