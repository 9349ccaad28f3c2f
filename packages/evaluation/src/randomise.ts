/**
 * Seeded weights for the parameter randomisation test. How a model is opened and closed is the caller's business: it says which weights
 * belong to which layer, from input to output, and gets new values for the last `depth` layers.
 */
import { createRandom, type Seed } from "./random.js";

export interface WeightLayer {
  readonly name: string;
  readonly weights: readonly { readonly name: string; readonly values: Float32Array }[];
}

/** Normal values with the mean and deviation of the original: the scale of activations stays, what was learned goes. */
export function randomLike(values: Float32Array, ...seeds: readonly Seed[]): Float32Array {
  const n = values.length;
  let mean = 0;
  for (const value of values) mean += value / n;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / n;
  const random = createRandom(...seeds);
  const deviation = Math.sqrt(variance);
  return values.map(() => mean + deviation * random.normal());
}

/** New values by weight name for the last `depth` layers, the same at every depth; `undefined` past the first layer. */
export function randomisedWeights(
  layers: readonly WeightLayer[],
  depth: number,
  seed: Seed,
): Map<string, Float32Array> | undefined {
  if (depth > layers.length) return undefined;
  const chosen = layers.slice(layers.length - depth).flatMap(({ weights }) => weights);
  return new Map(chosen.map(({ name, values }) => [name, randomLike(values, seed, "weights", name)]));
}
