/** Bilinear enlargement, corners not aligned: the way in which patch maps become pixel maps. */
export function bilinear(
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  [height, width]: readonly [number, number],
): Float32Array {
  const result = new Float32Array(height * width);
  const across = taps(columns, width);
  const down = taps(rows, height);
  for (let y = 0; y < height; y++) {
    const { low: top, high: bottom, part: py } = down[y]!;
    for (let x = 0; x < width; x++) {
      const { low: left, high: right, part: px } = across[x]!;
      const upper = values[top * columns + left]! * (1 - px) + values[top * columns + right]! * px;
      const lower = values[bottom * columns + left]! * (1 - px) + values[bottom * columns + right]! * px;
      result[y * width + x] = upper * (1 - py) + lower * py;
    }
  }
  return result;
}

function taps(from: number, to: number) {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(at));
    return { low, high: Math.min(from - 1, low + 1), part: at - low };
  });
}

/** Gaussian blur of one channel, edges repeated, cut at `side` taps. */
export function gaussianBlur(plane: Float32Array, height: number, width: number, side = 11, sigma = 5): Float32Array {
  const weights = bell(side, sigma);
  return convolve(plane, height, width, weights, (at, length) => Math.min(length - 1, Math.max(0, at)));
}

/**
 * The blur of RISE's insertion: 11 taps, 0 beyond the edge. Its kernel is what SciPy's `gaussian_filter` with deviation 5 makes of one
 * point in the middle of 11, reflected at the ends, so that it is flatter than a bell.
 * Petsiuk, Das, Saenko. RISE. BMVC 2018 (the authors' evaluation.py).
 */
export function riseBlur(plane: Float32Array, height: number, width: number): Float32Array {
  const [side, middle] = [11, 5];
  const wide = bell(41, 5);
  const mirrored = (at: number) => {
    const turn = ((at % (2 * side)) + 2 * side) % (2 * side);
    return turn < side ? turn : 2 * side - 1 - turn;
  };
  const weights = Array.from({ length: side }, (_, i) =>
    wide.reduce((total, weight, k) => total + (mirrored(i + k - 20) === middle ? weight : 0), 0),
  );
  return convolve(plane, height, width, weights, (at, length) => (at >= 0 && at < length ? at : -1));
}

/** A Gaussian of `side` taps whose sum is 1. */
function bell(side: number, sigma: number): number[] {
  const reach = (side - 1) / 2;
  const weights = Array.from({ length: side }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

/** Along rows, then along columns. `edge`: the place that is read for one outside; 0 is read for -1. */
function convolve(
  plane: Float32Array,
  height: number,
  width: number,
  weights: readonly number[],
  edge: (at: number, length: number) => number,
): Float32Array {
  const reach = (weights.length - 1) / 2;
  const pass = (source: Float32Array, step: number, length: number, lines: number, stride: number) => {
    const target = new Float32Array(source.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        let value = 0;
        for (let k = -reach; k <= reach; k++) {
          const at = edge(i + k, length);
          if (at >= 0) value += weights[k + reach]! * source[line * stride + at * step]!;
        }
        target[line * stride + i * step] = value;
      }
    }
    return target;
  };
  return pass(pass(plane, 1, width, height, width), width, height, width, 1);
}
