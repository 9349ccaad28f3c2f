/** The normal distribution and Student's, as far as intervals need them. */

/** Share of a standard normal variable below `z`, to 1e-7. Abramowitz & Stegun, 7.1.26. */
export function normalShare(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const above = (polynomial * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - above : above;
}

/** The value below which a share of a standard normal variable lies. */
export function normalQuantile(share: number): number {
  if (share <= 0) return Number.NEGATIVE_INFINITY;
  if (share >= 1) return Number.POSITIVE_INFINITY;
  let [low, high] = [-9, 9];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The same for Student's with `freedom` degrees, by four terms in 1 / freedom: right to 0.01 from 3 degrees on. Abramowitz & Stegun, 26.7.5. */
export function studentQuantile(share: number, freedom: number): number {
  const z = normalQuantile(share);
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return terms.reduce((total, term, i) => total + term / freedom ** (i + 1), z);
}
