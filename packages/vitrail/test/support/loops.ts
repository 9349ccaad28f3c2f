/** Slow and plain: matrices as rows, sums as loops. What the rules are checked against. */
export type Matrix = readonly (readonly number[])[];

export const rows = (values: readonly number[], width: number): Matrix =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));

export function matmul(a: Matrix, b: Matrix): number[][] {
  return a.map((row) => b[0]!.map((_, k) => row.reduce((sum, x, j) => sum + x * b[j]![k]!, 0)));
}
export const transposed = (a: Matrix): number[][] => a[0]!.map((_, k) => a.map((row) => row[k]!));
export const sum = (values: readonly number[]): number => values.reduce((total, v) => total + v, 0);

/** The authors' guarded division: 1e-9 with its sign fixed, and 0 where the denominator is 0. */
export const guarded = (a: number, b: number): number => (b === 0 ? 0 : a / (b + 1e-9));

/** z+ with one denominator: x [n, d], weights [d, k], R [n, k]. */
export function zPlus(x: Matrix, w: Matrix, R: Matrix): number[][] {
  return x.map((row, n) =>
    row.map((xi, i) => {
      let relevance = 0;
      for (const [k, r] of R[n]!.entries()) {
        let z = 0;
        for (const [j, xj] of row.entries())
          z += Math.max(xj, 0) * Math.max(w[j]![k]!, 0) + Math.min(xj, 0) * Math.min(w[j]![k]!, 0);
        const part = Math.max(xi, 0) * Math.max(w[i]![k]!, 0) + Math.min(xi, 0) * Math.min(w[i]![k]!, 0);
        relevance += part * guarded(r, z);
      }
      return relevance;
    }),
  );
}

/** Both operands of a product of data: half of x · (R / z) pulled back. `z` may be the product before it was scaled. */
export function product(a: Matrix, b: Matrix, R: Matrix): { a: number[][]; b: number[][] } {
  const s = matmul(a, b).map((row, i) => row.map((z, k) => guarded(R[i]![k]!, z)));
  const toA = matmul(s, transposed(b));
  const toB = matmul(transposed(a), s);
  return {
    a: a.map((row, i) => row.map((x, j) => 0.5 * x * toA[i]![j]!)),
    b: b.map((row, i) => row.map((x, j) => 0.5 * x * toB[i]![j]!)),
  };
}

/** The authors' normalised addition of one sample. */
export function addition(a: readonly number[], b: readonly number[], R: readonly number[]): [number[], number[]] {
  const s = R.map((r, i) => guarded(r, a[i]! + b[i]!));
  const [ra, rb] = [a.map((x, i) => x * s[i]!), b.map((x, i) => x * s[i]!)];
  const [A, B, T] = [sum(ra), sum(rb), sum(R)];
  const share = (own: number) => guarded(guarded(Math.abs(own), Math.abs(A) + Math.abs(B)) * T, own);
  return [ra.map((x) => x * share(A)), rb.map((x) => x * share(B))];
}
