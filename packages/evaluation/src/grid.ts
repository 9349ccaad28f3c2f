/**
 * One resolution of a picture whose unknown cells satisfy `own x = right + sum of weight * unknown neighbour`: the steps of which
 * multigrid.ts is made. They walk along rows of unknown cells and keep the sums of the column before, at and after the cell at hand.
 */
const beside = 1 / 6;
const across = 1 / 12;
/**
 * What remains of the weights of known neighbours when cells are joined in fours. One half would do if cells at the edge of a hole had
 * their known neighbours at a cell's distance; they are nearer. With 1 the corrections at edges are too small, with 1/2 too large, up to
 * divergence; in between a cycle leaves a third of the error or less, whatever the shape of the holes.
 */
const pull = 0.8;

/** Arrays have a border of one cell of zeros, so that no cell needs to know where it is. */
export interface Grid {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  readonly unknown: Uint8Array;
  /** Of each row of unknown cells where it begins, where it ends and in which row of the grid it lies: `ends` numbers, `cells` cells. */
  readonly runs: Int32Array;
  ends: number;
  cells: number;
  /** The unknown cells that have known neighbours, and the coarser cells in which they lie: `held` numbers. */
  readonly edge: Int32Array;
  readonly coarseEdge: Int32Array;
  held: number;
  /** Sum of the weights of known neighbours. */
  readonly hold: Float64Array;
  /**
   * Of each row of the grid by how much its equations lie before its cells. Those of the finest grid are the same in all rows but the
   * first and the last, and are kept once, near the processor.
   */
  readonly shift: Int32Array;
  /** The equations: the sum of the weights of all neighbours, its inverse, */
  readonly own: Float64Array;
  readonly inverse: Float64Array;
  /** and what known neighbours give. Nothing on the finest grid, where they stand in `value` themselves. */
  readonly right: Float64Array;
  readonly value: Float64Array;
  readonly correction: Float64Array;
  /** The mean of each coarse cell that is known. */
  readonly known: Float64Array;
}

/** A grid of any resolution but the finest: `coarsen` writes its equations. */
export const gridOf = (height: number, width: number): Grid => emptyGrid(height, width, height);

/** The grid of pixels. */
export function finestGrid(height: number, width: number): Grid {
  const grid = emptyGrid(height, width, Math.min(height, 3));
  const { stride, shift, own, inverse } = grid;
  for (let row = 0; row < height; row++) {
    shift[row] = (row - Math.min(row, row < height - 1 ? 1 : 2)) * stride;
    const high = Number(row > 0) + Number(row < height - 1);
    for (let column = 0, at = firstOf(stride, row) - shift[row]!; column < width; column++, at++) {
      const wide = Number(column > 0) + Number(column < width - 1);
      own[at] = beside * (high + wide) + across * high * wide;
      inverse[at] = 1 / own[at]!;
    }
  }
  return grid;
}

function emptyGrid(height: number, width: number, rowsOfEquations: number): Grid {
  const stride = width + 2;
  const array = (rows: number) => new Float64Array(stride * (rows + 2));
  return {
    height,
    width,
    stride,
    unknown: new Uint8Array(stride * (height + 2)),
    runs: new Int32Array(3 * height * Math.ceil(width / 2)),
    ends: 0,
    cells: 0,
    edge: new Int32Array(height * width),
    coarseEdge: new Int32Array(height * width),
    held: 0,
    hold: array(height),
    shift: new Int32Array(height),
    own: array(rowsOfEquations),
    inverse: array(rowsOfEquations),
    right: array(rowsOfEquations),
    value: array(height),
    correction: array(height),
    known: array(height),
  };
}

const rowOf = (stride: number, at: number): number => Math.floor(at / stride) - 1;
/** The place of a row's first cell. */
const firstOf = (stride: number, row: number): number => (row + 1) * stride + 1;

function findRuns(grid: Grid): void {
  const { height, width, stride, unknown, runs } = grid;
  grid.ends = 0;
  grid.cells = 0;
  for (let row = 0; row < height; row++) {
    const first = firstOf(stride, row);
    for (let at = first; at < first + width; at++) {
      if (unknown[at] === 0) continue;
      const start = at;
      while (unknown[at] === 1) at++;
      runs[grid.ends++] = start;
      runs[grid.ends++] = at;
      runs[grid.ends++] = row;
      grid.cells += at - start;
    }
  }
}

/** The weighted sum of a cell's neighbours. */
function around(values: Uint8Array | Float64Array, at: number, stride: number): number {
  const [above, below] = [at - stride, at + stride];
  const sides = values[at - 1]! + values[at + 1]! + values[above]! + values[below]!;
  const corners = values[above - 1]! + values[above + 1]! + values[below - 1]! + values[below + 1]!;
  return beside * sides + across * corners;
}

/** The finest grid, when it was marked what is unknown. */
export function weighPixels(grid: Grid): void {
  findRuns(grid);
  grid.held = 0;
  const { unknown, stride, runs, ends, shift, own, hold, edge } = grid;
  for (let i = 0; i < ends; i += 3) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    let equation = at - shift[runs[i + 2]!]!;
    let before = unknown[at - 1 - stride]! + unknown[at - 1 + stride]!;
    let middle = unknown[at - stride]! + unknown[at + stride]!;
    for (; at < end; at++, equation++) {
      const after = unknown[at + 1 - stride]! + unknown[at + 1 + stride]!;
      const open = beside * (unknown[at - 1]! + unknown[at + 1]! + middle) + across * (before + after);
      before = middle;
      middle = after;
      if (own[equation]! - open < 1e-9) continue;
      hold[at] = own[equation]! - open;
      edge[grid.held++] = at;
    }
  }
}

/** A coarse cell is unknown where any of its finer cells is, and held by what holds those. */
export function coarsen(fine: Grid, coarse: Grid): void {
  coarse.unknown.fill(0);
  coarse.hold.fill(0);
  for (let i = 0; i < fine.ends; i += 3) {
    const row = fine.runs[i + 2]!;
    const [from, to] = [firstOf(fine.stride, row), firstOf(coarse.stride, row >> 1)];
    const last = to + ((fine.runs[i + 1]! - 1 - from) >> 1);
    for (let at = to + ((fine.runs[i]! - from) >> 1); at <= last; at++) coarse.unknown[at] = 1;
  }
  for (let i = 0; i < fine.held; i++) {
    const at = fine.edge[i]!;
    const cell = coarsePlace(fine, at, coarse);
    fine.coarseEdge[i] = cell;
    coarse.hold[cell]! += pull * fine.hold[at]!;
  }
  findRuns(coarse);
  coarse.held = 0;
  for (let i = 0; i < coarse.ends; i += 3) {
    for (let at = coarse.runs[i]!; at < coarse.runs[i + 1]!; at++) {
      coarse.own[at] = coarse.hold[at]! + around(coarse.unknown, at, coarse.stride);
      coarse.inverse[at] = 1 / coarse.own[at]!;
      if (coarse.hold[at]! > 0) coarse.edge[coarse.held++] = at;
    }
  }
}

/** The coarse cell in which a finer one lies. */
function coarsePlace({ stride }: Grid, at: number, coarse: Grid): number {
  const row = rowOf(stride, at);
  return firstOf(coarse.stride, row >> 1) + ((at - firstOf(stride, row)) >> 1);
}

/** What known neighbours give to the finest grid's cells comes to the coarse right-hand side as their weights come to `hold`. */
export function gatherKnown(fine: Grid, coarse: Grid, finest: boolean): void {
  const { stride, value, right, edge, coarseEdge, held } = fine;
  coarse.right.fill(0);
  for (let i = 0; i < held; i++) {
    const at = edge[i]!;
    const gift = finest ? around(value, at, stride) : right[at]!;
    coarse.right[coarseEdge[i]!]! += pull * gift;
  }
}

/**
 * One sweep over `x`: a row takes the new values of the row before it, but of itself the old ones, so that no cell waits for the cell
 * beside it. With these weights both ways leave a third of what varies from cell to cell. Returns the sum of the squared changes, if it
 * is asked to count them.
 */
export function sweep({ stride, shift, right, inverse, runs, ends }: Grid, x: Float64Array, count = false): number {
  let changes = 0;
  for (let i = 0; i < ends; i += 3) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    let equation = at - shift[runs[i + 2]!]!;
    let left = x[at - 1]!;
    let here = x[at]!;
    let before = x[at - 1 - stride]! + x[at - 1 + stride]!;
    let middle = x[at - stride]! + x[at + stride]!;
    for (; at < end; at++, equation++) {
      const next = x[at + 1]!;
      const after = x[at + 1 - stride]! + x[at + 1 + stride]!;
      const value =
        (right[equation]! + beside * (left + next + middle) + across * (before + after)) * inverse[equation]!;
      if (count) changes += (value - here) * (value - here);
      x[at] = value;
      left = here;
      here = next;
      before = middle;
      middle = after;
    }
  }
  return changes;
}

/** The coarse right-hand side: what the equations of the finer cells lack at `x`, summed. */
export function restrictResidual(fine: Grid, x: Float64Array, coarse: Grid): void {
  const { stride, shift, right, own, runs, ends } = fine;
  const target = coarse.right;
  target.fill(0);
  for (let i = 0; i < ends; i += 3) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    const row = runs[i + 2]!;
    const first = firstOf(stride, row);
    let to = firstOf(coarse.stride, row >> 1) + ((at - first) >> 1);
    let equation = at - shift[row]!;
    let left = x[at - 1]!;
    let here = x[at]!;
    let before = x[at - 1 - stride]! + x[at - 1 + stride]!;
    let middle = x[at - stride]! + x[at + stride]!;
    // The cells that share a coarse one are summed first: nothing waits for what was just written.
    for (let lone = (at - first) & 1; at < end; lone = 0) {
      const next = x[at + 1]!;
      const after = x[at + 1 - stride]! + x[at + 1 + stride]!;
      let rest = right[equation]! + beside * (left + next + middle) + across * (before + after) - own[equation]! * here;
      left = here;
      here = next;
      before = middle;
      middle = after;
      at++;
      equation++;
      if (lone === 0 && at < end) {
        const next = x[at + 1]!;
        const after = x[at + 1 - stride]! + x[at + 1 + stride]!;
        rest += right[equation]! + beside * (left + next + middle) + across * (before + after) - own[equation]! * here;
        left = here;
        here = next;
        before = middle;
        middle = after;
        at++;
        equation++;
      }
      target[to++]! += rest;
    }
  }
}

/** Coarse values, enlarged bilinearly, are added to the unknown cells of `x`, of which `keep` (0 or 1) says whether they count. */
export function enlarge(coarse: Grid, from: Float64Array, fine: Grid, x: Float64Array, keep: 0 | 1): void {
  const { stride, runs, ends } = fine;
  const last = coarse.width - 1;
  for (let i = 0; i < ends; i += 3) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    const row = runs[i + 2]!;
    const start = at - firstOf(stride, row);
    // Coarse rows above and below the fine one, three to one; rows and columns at the picture's edges are repeated.
    const near = row >> 1;
    const far = Math.min(coarse.height - 1, Math.max(0, row & 1 ? near + 1 : near - 1));
    const [a, b] = [firstOf(coarse.stride, near), firstOf(coarse.stride, far)];
    let k = start >> 1;
    let here = 0.75 * from[a + k]! + 0.25 * from[b + k]!;
    let before = k > 0 ? 0.75 * from[a + k - 1]! + 0.25 * from[b + k - 1]! : here;
    let lone = start & 1;
    while (at < end) {
      k++;
      const after = k <= last ? 0.75 * from[a + k]! + 0.25 * from[b + k]! : here;
      if (lone === 0) {
        x[at] = keep * x[at]! + 0.75 * here + 0.25 * before;
        at++;
      }
      if (at < end) {
        x[at] = keep * x[at]! + 0.75 * here + 0.25 * after;
        at++;
      }
      lone = 0;
      before = here;
      here = after;
    }
  }
}

/** Known coarse cells take the mean of their finer cells, which are all known. */
export function averageKnown(fine: Grid, from: Float64Array, coarse: Grid): void {
  const { stride, height, width } = fine;
  for (let row = 0; row < coarse.height; row++) {
    const to = firstOf(coarse.stride, row);
    const upper = firstOf(stride, 2 * row);
    const lower = 2 * row + 1 < height ? upper + stride : upper;
    for (let column = 0; column < coarse.width; column++) {
      const left = 2 * column;
      const right = left + 1 < width ? left + 1 : left;
      const sum = from[upper + left]! + from[upper + right]! + from[lower + left]! + from[lower + right]!;
      coarse.known[to + column] = coarse.unknown[to + column] ? 0 : 0.25 * sum;
    }
  }
}
