/** total += weight · values. A plain loop: over the entries of an iterator, sums over many points cost as much as forward passes. */
export function addScaled(total: Float32Array | Float64Array, values: Float32Array, weight: number): void {
  for (let i = 0; i < total.length; i++) total[i]! += weight * values[i]!;
}
