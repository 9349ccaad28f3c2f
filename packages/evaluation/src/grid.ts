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
  /** Where rows of unknown cells begin and end: `ends` numbers, `cells` cells. */
  readonly runs: Int32Array;
  ends: number;
  cells: number;
  /** The unknown cells that have known neighbours, and the coarser cells in which they lie: `held` numbers. */
  readonly edge: Int32Array;
  readonly coarseEdge: Int32Array;
  held: number;
  /** Sum of the weights of known neighbours. */
  readonly hold: Float64Array;
  /** Sum of the weights of all neighbours, and its inverse. */
  readonly own: Float64Array;
  readonly inverse: Float64Array;
  /** What known neighbours give. Nothing on the finest grid, where they stand in `value` themselves. */
  readonly right: Float64Array;
  readonly value: Float64Array;
  readonly correction: Float64Array;
  /** The mean of each coarse cell that is known. */
  readonly known: Float64Array;
  /** A row between two, while it is enlarged. */
  readonly line: Float64Array;
}

export function gridOf(height: number, width: number): Grid {
  const stride = width + 2;
  const size = stride * (height + 2);
  const array = () => new Float64Array(size);
  const [own, inverse] = [array(), array()];
  for (let row = 0; row < height; row++) {
    const high = Number(row > 0) + Number(row < height - 1);
    for (let column = 0, at = firstOf(stride, row); column < width; column++, at++) {
      const wide = Number(column > 0) + Number(column < width - 1);
      own[at] = beside * (high + wide) + across * high * wide;
      inverse[at] = 1 / own[at]!;
    }
  }
  return {
    height,
    width,
    stride,
    unknown: new Uint8Array(size),
    runs: new Int32Array(height * (width + 1)),
    ends: 0,
    cells: 0,
    edge: new Int32Array(height * width),
    coarseEdge: new Int32Array(height * width),
    held: 0,
    hold: array(),
    own,
    inverse,
    right: array(),
    value: array(),
    correction: array(),
    known: array(),
    line: new Float64Array(stride),
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
      grid.cells += at - start;
    }
  }
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
  const { unknown, stride, runs, ends, own, hold, edge } = grid;
  for (let i = 0; i < ends; i += 2) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    let before = unknown[at - 1 - stride]! + unknown[at - 1 + stride]!;
    let middle = unknown[at - stride]! + unknown[at + stride]!;
    for (; at < end; at++) {
      const after = unknown[at + 1 - stride]! + unknown[at + 1 + stride]!;
      const open = beside * (unknown[at - 1]! + unknown[at + 1]! + middle) + across * (before + after);
      before = middle;
      middle = after;
      if (own[at]! - open < 1e-9) continue;
      hold[at] = own[at]! - open;
      edge[grid.held++] = at;
    }
  }
}

/** A coarse cell is unknown where any of its finer cells is, and held by what holds those. */
export function coarsen(fine: Grid, coarse: Grid): void {
  coarse.unknown.fill(0);
  coarse.hold.fill(0);
  for (let i = 0; i < fine.ends; i += 2) {
    const [start, last] = [coarsePlace(fine, fine.runs[i]!, coarse), coarsePlace(fine, fine.runs[i + 1]! - 1, coarse)];
    coarse.unknown.fill(1, start, last + 1);
  }
  for (let i = 0; i < fine.held; i++) {
    const at = fine.edge[i]!;
    const cell = coarsePlace(fine, at, coarse);
    fine.coarseEdge[i] = cell;
    coarse.hold[cell]! += pull * fine.hold[at]!;
  }
  findRuns(coarse);
  coarse.held = 0;
  for (let i = 0; i < coarse.ends; i += 2) {
    for (let at = coarse.runs[i]!; at < coarse.runs[i + 1]!; at++) {
      coarse.own[at] = coarse.hold[at]! + open(coarse, at);
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
    let gift = right[at]!;
    if (finest) {
      const [above, below] = [at - stride, at + stride];
      const sides = value[at - 1]! + value[at + 1]! + value[above]! + value[below]!;
      const corners = value[above - 1]! + value[above + 1]! + value[below - 1]! + value[below + 1]!;
      gift = beside * sides + across * corners;
    }
    coarse.right[coarseEdge[i]!]! += pull * gift;
  }
}

/**
 * One sweep over `x`: a row takes the new values of the row before it, but of itself the old ones, so that no cell waits for the cell
 * beside it. With these weights both ways leave a third of what varies from cell to cell. Returns the sum of the squared changes.
 */
export function sweep({ stride, right, inverse, runs, ends }: Grid, x: Float64Array): number {
  let changes = 0;
  for (let i = 0; i < ends; i += 2) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    let left = x[at - 1]!;
    let here = x[at]!;
    let before = x[at - 1 - stride]! + x[at - 1 + stride]!;
    let middle = x[at - stride]! + x[at + stride]!;
    for (; at < end; at++) {
      const next = x[at + 1]!;
      const after = x[at + 1 - stride]! + x[at + 1 + stride]!;
      const value = (right[at]! + beside * (left + next + middle) + across * (before + after)) * inverse[at]!;
      changes += (value - here) * (value - here);
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
  const { stride, right, own, runs, ends } = fine;
  const target = coarse.right;
  target.fill(0);
  for (let i = 0; i < ends; i += 2) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    const row = rowOf(stride, at);
    const [first, to] = [firstOf(stride, row), firstOf(coarse.stride, row >> 1)];
    let left = x[at - 1]!;
    let here = x[at]!;
    let before = x[at - 1 - stride]! + x[at - 1 + stride]!;
    let middle = x[at - stride]! + x[at + stride]!;
    for (; at < end; at++) {
      const next = x[at + 1]!;
      const after = x[at + 1 - stride]! + x[at + 1 + stride]!;
      const rest = right[at]! + beside * (left + next + middle) + across * (before + after) - own[at]! * here;
      target[to + ((at - first) >> 1)]! += rest;
      left = here;
      here = next;
      before = middle;
      middle = after;
    }
  }
}

/** Coarse values, enlarged bilinearly, are added to the unknown cells of `x`, of which `keep` (0 or 1) says whether they count. */
export function enlarge(coarse: Grid, from: Float64Array, fine: Grid, x: Float64Array, keep: 0 | 1): void {
  const { line } = coarse;
  const { stride, runs, ends } = fine;
  for (let i = 0; i < ends; i += 2) {
    const end = runs[i + 1]!;
    let at = runs[i]!;
    const row = rowOf(stride, at);
    const start = at - firstOf(stride, row);
    blend(coarse, from, row, start >> 1, (start + end - at - 1) >> 1);
    let k = (start >> 1) + 1;
    if (start & 1) {
      x[at] = keep * x[at]! + 0.75 * line[k]! + 0.25 * line[k + 1]!;
      at++;
      k++;
    }
    for (; at + 1 < end; at += 2, k++) {
      const middle = 0.75 * line[k]!;
      x[at] = keep * x[at]! + middle + 0.25 * line[k - 1]!;
      x[at + 1] = keep * x[at + 1]! + middle + 0.25 * line[k + 1]!;
    }
    if (at < end) x[at] = keep * x[at]! + 0.75 * line[k]! + 0.25 * line[k - 1]!;
  }
}

/** The row of coarse values that lies at a fine row, from one before column `low` to one behind `high`; the edges are repeated. */
function blend(
  { stride, width, height, line }: Grid,
  values: Float64Array,
  row: number,
  low: number,
  high: number,
): void {
  const near = row >> 1;
  const far = Math.min(height - 1, Math.max(0, row & 1 ? near + 1 : near - 1));
  const [a, b] = [firstOf(stride, near), firstOf(stride, far)];
  const last = Math.min(width - 1, high + 1);
  for (let k = Math.max(0, low - 1); k <= last; k++) line[k + 1] = 0.75 * values[a + k]! + 0.25 * values[b + k]!;
  if (low === 0) line[0] = line[1]!;
  if (high === width - 1) line[width + 1] = line[width]!;
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
