/**
 * Standard normal numbers, fast: the ziggurat of 128 layers of equal area.
 *
 * A layer and a point in it are drawn; 99 of 100 points lie under the curve for certain, the others are compared with it.
 * Marsaglia & Tsang. The Ziggurat Method for Generating Random Variables. Journal of Statistical Software 2000.
 */
import { createRandom, type Random } from "./random.js";

const layers = 128;
/** Where the tail begins, and the area of a layer. */
const edge = 3.442619855899;
const areaOf = 9.91256303526217e-3;
const density = (x: number): number => Math.exp(-0.5 * x * x);

/** Right ends of the layers, the widest first: `x[0]` is that of a rectangle as large as the base and its tail. */
const ends = new Float64Array(layers + 1);
ends[0] = areaOf / density(edge);
ends[1] = edge;
for (let i = 2; i < layers; i++) ends[i] = Math.sqrt(-2 * Math.log(areaOf / ends[i - 1]! + density(ends[i - 1]!)));
const heights = ends.map(density);

/** Draws from `random`; the same stream gives the same numbers. */
export function drawNormal(random: Random): number {
  for (;;) {
    const bits = random.next() * (2 * layers);
    const whole = bits | 0;
    const layer = whole >> 1;
    const sign = 1 - 2 * (whole & 1);
    const x = (bits - whole) * ends[layer]!;
    if (x < ends[layer + 1]!) return sign * x;
    if (layer === 0) return sign * tail(random);
    if (heights[layer]! + random.next() * (heights[layer + 1]! - heights[layer]!) < density(x)) return sign * x;
  }
}

/** Beyond the edge. */
function tail(random: Random): number {
  for (;;) {
    const x = -Math.log(1 - random.next()) / edge;
    if (-2 * Math.log(1 - random.next()) > x * x) return edge + x;
  }
}

let table: Float32Array | undefined;

/**
 * 2^18 numbers that are drawn once and read from a random place on, round and round: for noise on whole pictures, where drawing takes
 * longer than what the noise is added to. Up to that many are independent; two pictures may share a stretch, at different places.
 */
export function normalTable(): Float32Array {
  if (!table) {
    const random = createRandom("normal numbers");
    table = new Float32Array(2 ** 18);
    for (let i = 0; i < table.length; i++) table[i] = drawNormal(random);
  }
  return table;
}
