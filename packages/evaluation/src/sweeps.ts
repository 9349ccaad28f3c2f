/**
 * The loops of the multigrid solver over cells, for four planes at once: a cell is a vector. They walk along rows of unknown cells and
 * keep what they read of the column before, at and after the cell at hand. All arguments are places and lengths in bytes.
 *
 *   rest  = right + sum of weight * (neighbour - own value) + spare * own value       what an equation lacks
 *   value = value + rest / own                                                      a sweep
 *
 * In differences, because single precision then loses nothing where neighbours are nearly the same.
 */
import { assemble, type Code, engine, kernel, type Local, loopWhile, vector, when, whole } from "./wasm.js";

export const beside = 1 / 6;
export const across = 1 / 12;
/** Bytes of a cell. */
export const cell = 16;
/** A row of unknown cells as the loops read it, 32-bit whole numbers: places of its cells are bytes from the begin of an array. */
export const run = { begin: 0, end: 4, equation: 8, coarse: 12, odd: 16, far: 20, size: 24 } as const;

const of = (at: Local, offset = 0) => vector.load(at.get, offset);
const before = (at: Local) => vector.load(whole.subtract(at.get, whole.of(cell)));
const field = (runs: Local, name: Exclude<keyof typeof run, "size">) => whole.load(runs.get, run[name]);
const perFloat = (places: Code) => whole.shiftRight(places, whole.of(2));

/** Where a walk along a row is, and what it has read. */
const walked = {
  wholes: ["at", "above", "below", "end", "equation", "single"],
  vectors: ["left", "here", "next", "behind", "middle", "after", "rest"],
} as const;
type Walk = Record<(typeof walked.wholes)[number] | (typeof walked.vectors)[number], Local>;

/** Above and below together, against the cell between them. */
const column = ({ above, below }: Walk, own: Code, offset: number) =>
  vector.add(vector.subtract(of(above, offset), own), vector.subtract(of(below, offset), own));

function startWalk(walk: Walk, runs: Local, x: Local, stride: Local): Code {
  const { at, above, below, end, equation, left, here, behind, middle } = walk;
  return [
    at.set(whole.add(x.get, field(runs, "begin"))),
    end.set(whole.add(x.get, field(runs, "end"))),
    equation.set(field(runs, "equation")),
    // One column back, so that offsets are not negative.
    above.set(whole.subtract(whole.subtract(at.get, stride.get), whole.of(cell))),
    below.set(whole.subtract(whole.add(at.get, stride.get), whole.of(cell))),
    left.set(before(at)),
    here.set(of(at)),
    behind.set(column(walk, left.get, 0)),
    middle.set(column(walk, here.get, cell)),
  ].flat();
}

/** What the equation of the cell at hand lacks. */
function lacking(walk: Walk, right: Local, spare: Local): Code {
  const { left, here, next, behind, middle, after, at, equation, rest } = walk;
  const sides = vector.add(vector.subtract(left.get, here.get), vector.subtract(next.get, here.get));
  return [
    next.set(of(at, cell)),
    after.set(column(walk, next.get, 2 * cell)),
    rest.set(
      vector.add(
        vector.load(whole.add(right.get, equation.get)),
        vector.times(vector.of(beside + 2 * across), sides),
        vector.times(vector.of(beside), middle.get),
        vector.times(vector.of(across), vector.add(behind.get, after.get)),
        vector.times(vector.spread(whole.add(spare.get, perFloat(equation.get))), here.get),
      ),
    ),
  ].flat();
}

function stepWalk({ at, above, below, equation, left, here, next, behind, middle, after }: Walk): Code {
  return [
    left.set(here.get),
    here.set(next.get),
    behind.set(middle.get),
    middle.set(after.get),
    ...[at, above, below, equation].map((place) => place.add(whole.of(cell))),
  ].flat();
}

const overRuns = (runs: Local, runsEnd: Local, ...body: Code[]) =>
  loopWhile(whole.less(runs.get, runsEnd.get), ...body, runs.add(whole.of(run.size)));

const kernels = {
  /**
   * One sweep over `x`: a row takes the new values of the row before it, but of itself the old ones, so that no cell waits for the cell
   * beside it. With these weights both ways leave a third of what varies from cell to cell. The sums of the squared changes come to
   * `changes`.
   */
  sweep: kernel(
    ["runs", "runsEnd", "x", "stride", "right", "spare", "inverse", "changes"],
    { wholes: walked.wholes, vectors: [...walked.vectors, "squares"] },
    ({ runs, runsEnd, x, stride, right, spare, inverse, changes, squares, ...walk }) => [
      overRuns(
        runs,
        runsEnd,
        startWalk(walk, runs, x, stride),
        loopWhile(
          whole.less(walk.at.get, walk.end.get),
          lacking(walk, right, spare),
          walk.rest.set(
            vector.times(walk.rest.get, vector.spread(whole.add(inverse.get, perFloat(walk.equation.get)))),
          ),
          squares.set(vector.add(squares.get, vector.times(walk.rest.get, walk.rest.get))),
          vector.store(walk.at.get, vector.add(walk.here.get, walk.rest.get)),
          stepWalk(walk),
        ),
      ),
      vector.store(changes.get, squares.get),
    ],
  ),

  /** The coarse right-hand side: what the equations of the finer cells lack at `x`, summed, times `gain`. */
  restrict: kernel(
    ["runs", "runsEnd", "x", "stride", "right", "spare", "coarseRight", "gain"],
    { wholes: [...walked.wholes, "to"], vectors: [...walked.vectors, "sum", "factor"] },
    ({ runs, runsEnd, x, stride, right, spare, coarseRight, gain, to, sum, factor, ...walk }) => {
      const take = [lacking(walk, right, spare), sum.set(vector.add(sum.get, walk.rest.get)), stepWalk(walk)].flat();
      return [
        factor.set(vector.spread(gain.get)),
        overRuns(
          runs,
          runsEnd,
          startWalk(walk, runs, x, stride),
          to.set(whole.add(coarseRight.get, field(runs, "coarse"))),
          walk.single.set(field(runs, "odd")),
          loopWhile(
            whole.less(walk.at.get, walk.end.get),
            sum.set(vector.of(0)),
            take,
            // Of the first coarse cell it may be that only the second column is unknown.
            when(whole.less(walk.single.get, whole.of(1)), when(whole.less(walk.at.get, walk.end.get), take)),
            walk.single.set(whole.of(0)),
            vector.store(to.get, vector.add(of(to), vector.times(sum.get, factor.get))),
            to.add(whole.of(cell)),
          ),
        ),
      ];
    },
  ),

  /** Coarse values, enlarged bilinearly, are added to the unknown cells of `x`, of which `keep` (0 or 1) says whether they count. */
  enlarge: kernel(
    ["runs", "runsEnd", "coarse", "x", "keep"],
    { wholes: ["near", "far", "at", "end", "single"], vectors: ["behind", "here", "after", "kept"] },
    ({ runs, runsEnd, coarse, x, keep, near, far, at, end, single, behind, here, after, kept }) => {
      const blend = (offset: number) =>
        vector.add(vector.times(vector.of(0.75), of(near, offset)), vector.times(vector.of(0.25), of(far, offset)));
      const add = (side: Local) => [
        vector.store(
          at.get,
          vector.add(
            vector.times(kept.get, of(at)),
            vector.times(vector.of(0.75), here.get),
            vector.times(vector.of(0.25), side.get),
          ),
        ),
        at.add(whole.of(cell)),
      ];
      return [
        kept.set(vector.spread(keep.get)),
        overRuns(
          runs,
          runsEnd,
          at.set(whole.add(x.get, field(runs, "begin"))),
          end.set(whole.add(x.get, field(runs, "end"))),
          single.set(field(runs, "odd")),
          near.set(whole.subtract(whole.add(coarse.get, field(runs, "coarse")), whole.of(cell))),
          far.set(whole.add(near.get, field(runs, "far"))),
          behind.set(blend(0)),
          here.set(blend(cell)),
          loopWhile(
            whole.less(at.get, end.get),
            after.set(blend(2 * cell)),
            when(whole.less(single.get, whole.of(1)), ...add(behind)),
            when(whole.less(at.get, end.get), ...add(after)),
            single.set(whole.of(0)),
            behind.set(here.get),
            here.set(after.get),
            near.add(whole.of(cell)),
            far.add(whole.of(cell)),
          ),
        ),
      ];
    },
  ),

  /** What the known neighbours of pixels give comes to the coarse right-hand side, times `pull`. `edge`: places, finer and coarser. */
  gather: kernel(
    ["edge", "edgeEnd", "value", "stride", "coarseRight", "pull"],
    { wholes: ["at", "above", "below", "to"], vectors: ["factor"] },
    ({ edge, edgeEnd, value, stride, coarseRight, pull, at, above, below, to, factor }) => {
      const sides = vector.add(of(at), of(at, 2 * cell), of(above, cell), of(below, cell));
      const corners = vector.add(of(above), of(above, 2 * cell), of(below), of(below, 2 * cell));
      const given = vector.add(vector.times(vector.of(beside), sides), vector.times(vector.of(across), corners));
      return [
        factor.set(vector.spread(pull.get)),
        loopWhile(
          whole.less(edge.get, edgeEnd.get),
          at.set(whole.subtract(whole.add(value.get, whole.load(edge.get)), whole.of(cell))),
          above.set(whole.subtract(at.get, stride.get)),
          below.set(whole.add(at.get, stride.get)),
          to.set(whole.add(coarseRight.get, whole.load(edge.get, 4))),
          vector.store(to.get, vector.add(of(to), vector.times(factor.get, given))),
          edge.add(whole.of(8)),
        ),
      ];
    },
  ),

  /** The same from any other grid to the next. */
  passOn: kernel(
    ["edge", "edgeEnd", "right", "coarseRight", "pull"],
    { wholes: ["to"], vectors: ["factor"] },
    ({ edge, edgeEnd, right, coarseRight, pull, to, factor }) => {
      const given = vector.load(whole.add(right.get, whole.load(edge.get)));
      return [
        factor.set(vector.spread(pull.get)),
        loopWhile(
          whole.less(edge.get, edgeEnd.get),
          to.set(whole.add(coarseRight.get, whole.load(edge.get, 4))),
          vector.store(to.get, vector.add(of(to), vector.times(factor.get, given))),
          edge.add(whole.of(8)),
        ),
      ];
    },
  ),

  /** Means of four cells, along a row of coarse ones; the second column is `step` bytes away. */
  average: kernel(
    ["upper", "lower", "to", "end", "step"],
    { wholes: ["upperNext", "lowerNext"], vectors: [] },
    ({ upper, lower, to, end, step, upperNext, lowerNext }) => [
      upperNext.set(whole.add(upper.get, step.get)),
      lowerNext.set(whole.add(lower.get, step.get)),
      loopWhile(
        whole.less(to.get, end.get),
        vector.store(
          to.get,
          vector.times(vector.of(0.25), vector.add(of(upper), of(upperNext), of(lower), of(lowerNext))),
        ),
        ...[upper, lower, upperNext, lowerNext].map((place) => place.add(whole.of(2 * cell))),
        to.add(whole.of(cell)),
      ),
    ],
  ),

  /** Unknown cells of `x` become 0. */
  clear: kernel(["runs", "runsEnd", "x"], { wholes: ["at", "end"], vectors: [] }, ({ runs, runsEnd, x, at, end }) => [
    overRuns(
      runs,
      runsEnd,
      at.set(whole.add(x.get, field(runs, "begin"))),
      end.set(whole.add(x.get, field(runs, "end"))),
      loopWhile(whole.less(at.get, end.get), vector.store(at.get, vector.of(0)), at.add(whole.of(cell))),
    ),
  ]),

  add: kernel(["x", "end", "y"], { wholes: [], vectors: [] }, ({ x, end, y }) => [
    loopWhile(
      whole.less(x.get, end.get),
      vector.store(x.get, vector.add(of(x), of(y))),
      x.add(whole.of(cell)),
      y.add(whole.of(cell)),
    ),
  ]),

  /** The sums of squares of all cells come to `to`. */
  square: kernel(["x", "end", "to"], { wholes: [], vectors: ["sum"] }, ({ x, end, to, sum }) => [
    loopWhile(
      whole.less(x.get, end.get),
      sum.set(vector.add(sum.get, vector.times(of(x), of(x)))),
      x.add(whole.of(cell)),
    ),
    vector.store(to.get, sum.get),
  ]),
};

export type Loops = Readonly<Record<keyof typeof kernels, (...places: number[]) => void>>;

let module: object | undefined;

/** The loops over a memory of their own. */
export function loopsOver(bytes: number): { readonly loops: Loops; readonly buffer: ArrayBuffer } {
  module ??= new engine.Module(assemble(kernels));
  const memory = new engine.Memory({ initial: Math.ceil(bytes / 65536) });
  const { exports } = new engine.Instance(module, { host: { memory } });
  return { loops: exports as Loops, buffer: memory.buffer };
}
