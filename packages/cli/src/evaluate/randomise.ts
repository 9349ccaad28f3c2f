/**
 * The weight randomisation test on a file: a layer is what lies between two attention sites, and the last layers are made random first.
 * Adebayo et al. Sanity Checks for Saliency Maps. NeurIPS 2018 (cascading).
 */
import { readFile } from "node:fs/promises";
import { randomisedWeights, type WeightLayer } from "@vitrail/evaluation";
import { readWeights, replaceWeights } from "vitrail";

export interface Randomiser {
  /** How many layers there are. */
  readonly depths: number;
  /** The model with its last `depth` layers random, the same for a seed. */
  model(depth: number): Uint8Array;
}

/** `sites`: names of the attention nodes, as the compiler found them. */
export async function openRandomiser(file: string, sites: readonly string[], seed: number): Promise<Randomiser> {
  const original = await readFile(file);
  const layers = layersOf(original, sites);
  return {
    depths: layers.length,
    model: (depth) => replaceWeights(original, randomisedWeights(layers, depth, seed)!),
  };
}

/** Weights between neighbouring sites, from the input to the output; empty stretches are no layers. */
export function layersOf(model: Uint8Array, sites: readonly string[]): WeightLayer[] {
  const { weights, nodes } = readWeights(model);
  const borders = sites.map((site) => nodes.indexOf(site)).filter((at) => at >= 0);
  const layers = Array.from({ length: borders.length + 1 }, (_, layer) =>
    weights.filter(({ node }) => borders.filter((border) => border < node).length === layer),
  );
  return layers.filter((layer) => layer.length > 0).map((layer, index) => ({ name: `layer ${index}`, weights: layer }));
}
