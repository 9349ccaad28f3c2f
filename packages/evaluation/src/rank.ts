import type { Random } from "./random.js";

/** Units from the highest score to the lowest. Ties fall in random order, so that no method gains from raster order. */
export function descending(scores: ArrayLike<number>, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  if (scores instanceof Float32Array && scores.length <= 1 << 20) return sortedByBits(scores, order);
  return order.sort((i, j) => scores[j]! - scores[i]!);
}

/** The same by one native sort: a float's bits as an ordered integer above, the place in the given order below. */
function sortedByBits(scores: Float32Array, order: Uint32Array): Uint32Array {
  const bits = new Int32Array(scores.map((score) => score + 0).buffer);
  const keys = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) {
    const own = bits[order[place]!]!;
    keys[place] = -(own < 0 ? own ^ 0x7fffffff : own) * 2 ** 20 + place;
  }
  keys.sort();
  const result = new Uint32Array(order.length);
  for (let i = 0; i < keys.length; i++) result[i] = order[keys[i]! - Math.floor(keys[i]! / 2 ** 20) * 2 ** 20]!;
  return result;
}

/** Ranks from 1 (lowest); equal values share their mean rank. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) result[order[i]!] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

/** Pearson's correlation; 0 where either side is constant. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const meanA = mean(a);
  const meanB = mean(b);
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]! - meanA;
    const y = b[i]! - meanB;
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  const scale = Math.sqrt(squareA) * Math.sqrt(squareB);
  return scale > 0 ? Math.max(-1, Math.min(1, product / scale)) : 0;
}

/** Spearman's rank correlation, ties sharing their mean rank. */
export const spearman = (a: ArrayLike<number>, b: ArrayLike<number>): number => pearson(ranks(a), ranks(b));

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

export const mean = (values: ArrayLike<number>): number => (values.length ? sum(values) / values.length : Number.NaN);

/** Area under a curve by the trapezoid rule. */
export function trapezoid(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let area = 0;
  for (let i = 1; i < x.length; i++) area += ((x[i]! - x[i - 1]!) * (y[i]! + y[i - 1]!)) / 2;
  return area;
}

/** Linear interpolation at quantile `q` of sorted values. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

/** Min-max scaling to [0, 1]; a constant map becomes 0. */
export function normalise(values: ArrayLike<number>): Float32Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  const range = high - low;
  return Float32Array.from(values, (value) => (range > 0 ? (value - low) / range : 0));
}
