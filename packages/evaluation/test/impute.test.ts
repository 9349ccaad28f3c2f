import { describe, expect, it } from "vitest";
import { createRandom, drawNormal, linearImputer, type Random } from "../src/index.js";
import { multigrid } from "../src/multigrid.js";
import { normalTable } from "../src/normal.js";

interface Hole {
  readonly height: number;
  readonly width: number;
  readonly missing: Uint8Array;
}

/** The equations as they are said, solved slowly: conjugate gradients until nothing is left to do. */
function slow(plane: Float32Array, { height, width, missing }: Hole): Float64Array {
  const unknown = [...missing.keys()].filter((at) => missing[at]);
  const place = new Map(unknown.map((at, k) => [at, k]));
  const right = new Float64Array(unknown.length);
  const own = new Float64Array(unknown.length);
  const links = unknown.map((at, k) => {
    const list: [number, number][] = [];
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const [y, x] = [Math.floor(at / width) + dy, (at % width) + dx];
        if ((dx === 0 && dy === 0) || y < 0 || x < 0 || y >= height || x >= width) continue;
        const weight = dx * dy === 0 ? 1 / 6 : 1 / 12;
        own[k]! += weight;
        const other = place.get(y * width + x);
        if (other === undefined) right[k]! += weight * plane[y * width + x]!;
        else list.push([other, weight]);
      }
    }
    return list;
  });
  const apply = (x: Float64Array) =>
    x.map((value, k) => own[k]! * value - links[k]!.reduce((sum, [other, weight]) => sum + weight * x[other]!, 0));
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  const x = new Float64Array(unknown.length);
  let residual = right.slice();
  let direction = right.slice();
  for (let step = 0; step < 5000 && dot(residual, residual) > 1e-22; step++) {
    const image = apply(direction);
    const length = dot(residual, residual) / dot(direction, image);
    for (let k = 0; k < x.length; k++) x[k]! += length * direction[k]!;
    const next = residual.map((value, k) => value - length * image[k]!);
    const turn = dot(next, next) / dot(residual, residual);
    direction = next.map((value, k) => value + turn * direction[k]!);
    residual = next;
  }
  const result = Float64Array.from(plane);
  for (const [k, at] of unknown.entries()) result[at] = x[k]!;
  return result;
}

const draw = createRandom("imputation");

/** Marks of `share` of the patches: those of the highest scores. */
function patches(
  height: number,
  width: number,
  side: number,
  share: number,
  scoreOf: (y: number, x: number) => number,
) {
  const columns = Math.ceil(width / side);
  const score = Float64Array.from({ length: columns * Math.ceil(height / side) }, (_, unit) =>
    scoreOf(Math.floor(unit / columns) * side, (unit % columns) * side),
  );
  const order = [...score.keys()].sort((a, b) => score[b]! - score[a]!);
  const gone = new Set(order.slice(0, Math.round(share * order.length)));
  const missing = Uint8Array.from({ length: height * width }, (_, at) =>
    Number(gone.has(Math.floor(Math.floor(at / width) / side) * columns + Math.floor((at % width) / side))),
  );
  return { height, width, missing };
}

const scattered = () => draw.next();
const round = (y: number, x: number) => -Math.hypot(y - 30, x - 44);
const onlyOne: Hole = { height: 33, width: 20, missing: new Uint8Array(660).fill(1).fill(0, 200, 201) };

const holes: readonly (readonly [string, Hole])[] = [
  ["few patches", patches(96, 96, 8, 0.1, scattered)],
  ["half of the patches", patches(96, 96, 8, 0.5, scattered)],
  ["most patches", patches(96, 96, 8, 0.9, scattered)],
  ["patches across the coarse cells", patches(70, 98, 14, 0.7, scattered)],
  ["scattered pixels", patches(61, 75, 1, 0.5, scattered)],
  ["most pixels", patches(61, 75, 1, 0.95, scattered)],
  ["one large hole", patches(96, 96, 1, 0.5, round)],
  ["all but a spot", patches(96, 96, 1, 0.98, (y, x) => -round(y, x))],
  ["all but one pixel", onlyOne],
  ["two rows", patches(2, 64, 1, 0.8, scattered)],
  ["a column", patches(50, 1, 1, 0.6, scattered)],
];

/** Where each equation has to reach far along a picture that is only a few cells wide: hard for coarse grids, and for single precision. */
const flat: readonly (readonly [string, Hole])[] = [
  ["a row with one gap", patches(1, 256, 1, 0.6, (_, x) => -Math.abs(x - 128))],
  ["two rows with one gap", patches(2, 256, 1, 0.9, (_, x) => -Math.abs(x - 128))],
  ["three columns with one gap", patches(256, 3, 1, 0.6, (y) => -Math.abs(y - 128))],
  ["a low picture with one gap", patches(6, 300, 1, 0.6, (_, x) => -Math.abs(x - 150))],
];

const wavy = ({ missing }: Hole) =>
  Float32Array.from({ length: missing.length }, (_unused, at) =>
    Math.min(1, Math.max(0, 0.5 + 0.3 * Math.sin(at * 0.05) + 0.3 * (draw.next() - 0.5))),
  );

/** Of the missing pixels, once the noise is taken off again; the others are untouched. */
function errorsOf(hole: Hole) {
  const plane = wavy(hole);
  const exact = slow(plane, hole);
  const fromStart: Random = { ...createRandom(0), int: () => 0 };
  const impute = linearImputer(hole.height, hole.width);
  return (noise: number) => {
    const filled = plane.map((value, at) => (hole.missing[at] ? 9 : value));
    impute([filled], hole.missing, fromStart, noise);
    const drawn = normalTable().values();
    const all = Array.from(filled, (value, at) => {
      return value - exact[at]! - (hole.missing[at] ? noise * drawn.next().value! : 0);
    });
    const unknown = all.filter((_error, at) => hole.missing[at]);
    expect(all.every((error, at) => hole.missing[at] || error === 0)).toBe(true);
    return {
      largest: Math.max(...unknown.map(Math.abs)),
      typical: Math.sqrt(unknown.reduce((sum, error) => sum + error * error, 0) / unknown.length),
    };
  };
}

describe("linear imputation", () => {
  it.each(holes)("%s: within half of the noise of the exact solution, or as near as is asked for", (_, hole) => {
    const errors = errorsOf(hole);
    const usual = errors(0.01);
    expect(usual.typical).toBeLessThan(0.006);
    expect(usual.largest).toBeLessThan(0.02);
    expect(errors(0).largest).toBeLessThan(2e-6);
  });

  it.each(flat)("%s: within half of the noise of the exact solution", (_, hole) => {
    const errors = errorsOf(hole);
    for (const noise of [0.01, 0.001]) {
      const { typical, largest } = errors(noise);
      expect(typical).toBeLessThan(0.6 * noise);
      expect(largest).toBeLessThan(2 * noise);
    }
  });

  it("fills many planes as it fills each alone", () => {
    const [, hole] = holes[1]!;
    const planes = Array.from({ length: 5 }, () => wavy(hole));
    const alone = planes.map((plane) => plane.slice());
    const impute = linearImputer(hole.height, hole.width);
    impute(planes, hole.missing, draw, 0);
    for (const plane of alone) impute([plane], hole.missing, draw, 0);
    for (const [i, plane] of planes.entries()) {
      expect(Math.max(...plane.map((value, at) => Math.abs(value - alone[i]![at]!)))).toBeLessThan(4e-6);
    }
  });

  it("says the same after other masks and other numbers of planes: nothing of an earlier one is left", () => {
    const used = multigrid(96, 96);
    for (const [, hole] of holes.filter(([, { height, width }]) => height === 96 && width === 96)) {
      for (const count of [4, 1, 3]) {
        const again = Array.from({ length: count }, () => wavy(hole));
        const anew = again.map((plane) => plane.slice());
        for (const [solver, planes] of [
          [used, again],
          [multigrid(96, 96), anew],
        ] as const) {
          solver.mark(hole.missing);
          solver.solve(planes, 0.005);
        }
        expect(again).toEqual(anew);
      }
    }
  });

  it("fills a hole in a ramp with the ramp, an empty picture with grey, and leaves a whole one alone", () => {
    const impute = linearImputer(9, 9);
    const plane = Float32Array.from({ length: 81 }, (_, i) => (i % 9) / 10);
    const missing = new Uint8Array(81);
    for (let y = 3; y < 6; y++) for (let x = 3; x < 6; x++) missing[y * 9 + x] = 1;
    const holed = plane.map((value, i) => (missing[i] ? 9 : value));
    impute([holed], missing, draw, 0);
    for (let i = 0; i < 81; i++) expect(holed[i]).toBeCloseTo(plane[i]!, 5);
    const whole = plane.slice();
    impute([whole], new Uint8Array(81), draw);
    expect(whole).toEqual(plane);
    impute([whole], new Uint8Array(81).fill(1), draw, 0);
    expect(whole.every((value) => value === 0.5)).toBe(true);
  });
});

const streams = {
  "drawn one by one": () => {
    const random = createRandom("normal");
    return Float64Array.from({ length: 400_000 }, () => drawNormal(random));
  },
  "of the table": () => Float64Array.from(normalTable()),
};

describe("normal numbers", () => {
  it("of the table do not depend on those before them, in the same column of a picture or the next plane", () => {
    const all = normalTable();
    for (const distance of [1, 2, 96, 224, 96 * 96, 224 * 224]) {
      const together = all.reduce((sum, value, i) => sum + value * all[(i + distance) % all.length]!, 0) / all.length;
      expect(Math.abs(together)).toBeLessThan(4 / Math.sqrt(all.length));
    }
  });

  it.each(Object.entries(streams))(
    "%s are normal: moments, every tenth of the distribution, and the tail",
    (_, draws) => {
      const all = draws().sort();
      const moment = (power: number) => all.reduce((sum, value) => sum + value ** power, 0) / all.length;
      for (const [power, expected] of [
        [1, 0],
        [2, 1],
        [3, 0],
        [4, 3],
      ] as const) {
        expect(Math.abs(moment(power) - expected)).toBeLessThan(0.05);
      }
      const deciles = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];
      for (const [i, decile] of deciles.entries()) {
        const share = all.filter((value) => value < decile).length / all.length;
        expect(Math.abs(share - (i + 1) / 10)).toBeLessThan(0.003);
      }
      // P(|x| > 3.5) = 4.65e-4: beyond the edge of the layers.
      const tail = all.filter((value) => Math.abs(value) > 3.5).length / all.length;
      expect(tail).toBeGreaterThan(3.6e-4);
      expect(tail).toBeLessThan(5.7e-4);
    },
  );
});
