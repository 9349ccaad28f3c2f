/**
 * How alike two maps are: Spearman's rank correlation, or the structural similarity of the maps scaled to [0, 1]:
 *
 *   SSIM = mean over windows of (2 m_a m_b + c1)(2 s_ab + c2) / ((m_a^2 + m_b^2 + c1)(s_a^2 + s_b^2 + c2)),  c1 = 0.01^2, c2 = 0.03^2
 *
 * Wang et al. Image Quality Assessment: From Error Visibility to Structural Similarity. IEEE TIP 2004 (uniform windows).
 */
import { normalise, spearman } from "../rank.js";

const c1 = 0.01 ** 2;
const c2 = 0.03 ** 2;

export function structuralSimilarity(a: ArrayLike<number>, b: ArrayLike<number>, columns: number, side = 7): number {
  const x = normalise(a);
  const y = normalise(b);
  const rows = x.length / columns;
  const high = Math.min(side, rows);
  const wide = Math.min(side, columns);
  let total = 0;
  let windows = 0;
  for (let top = 0; top + high <= rows; top++) {
    for (let left = 0; left + wide <= columns; left++) {
      total += oneWindow(x, y, columns, top, left, high, wide);
      windows++;
    }
  }
  return total / windows;
}

function oneWindow(
  x: Float32Array,
  y: Float32Array,
  columns: number,
  top: number,
  left: number,
  high: number,
  wide: number,
) {
  let [sx, sy, xx, yy, xy] = [0, 0, 0, 0, 0];
  for (let row = top; row < top + high; row++) {
    for (let at = row * columns + left; at < row * columns + left + wide; at++) {
      sx += x[at]!;
      sy += y[at]!;
      xx += x[at]! ** 2;
      yy += y[at]! ** 2;
      xy += x[at]! * y[at]!;
    }
  }
  const n = high * wide;
  const [mx, my] = [sx / n, sy / n];
  const [vx, vy, cov] = [xx / n - mx * mx, yy / n - my * my, xy / n - mx * my];
  return ((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2));
}

export const similarityOption = {
  title: "how maps are compared",
  default: "spearman",
  choices: ["spearman", "ssim"],
} as const;

/** Equal maps are alike even where a constant leaves no ranks to correlate. */
export function similarity(kind: string, a: Float32Array, b: Float32Array, columns: number): number {
  if (a.every((value, i) => value === b[i])) return 1;
  return kind === "ssim" ? structuralSimilarity(a, b, columns) : spearman(a, b);
}
