/** The rows that stand beside every method: chance, a centred blob, an even map. */
import type { Case, Explainer } from "./model.js";
import { createRandom, type Seed } from "./random.js";

export interface Baseline {
  readonly id: string;
  readonly title: string;
  map(
    subject: { readonly units: number; readonly grid?: readonly [number, number] },
    ...seeds: readonly Seed[]
  ): Float32Array;
}

/** Even noise: every figure that does not differ from this one says nothing. */
export const random: Baseline = {
  id: "random",
  title: "random map",
  map({ units }, ...seeds) {
    const stream = createRandom(...seeds, "random map");
    return Float32Array.from({ length: units }, () => stream.next());
  },
};

/** A Gaussian blob in the middle: what knowing the photographer's habit is worth. */
export const centre: Baseline = {
  id: "centre",
  title: "blob in the centre",
  map({ units, grid = [1, units] }) {
    const [rows, columns] = grid;
    const distance = (at: number, length: number) => (length > 1 ? (2 * (at + 0.5)) / length - 1 : 0);
    return Float32Array.from({ length: units }, (_, unit) => {
      const y = distance(Math.floor(unit / columns), rows);
      const x = distance(unit % columns, columns);
      return Math.exp(-(x * x + y * y) / (2 * 0.5 ** 2));
    });
  },
};

/** The same value everywhere: localisation metrics then give the share that the truth covers. */
export const area: Baseline = {
  id: "area",
  title: "even map (share of the truth)",
  map: ({ units }) => new Float32Array(units).fill(1),
};

export const baselines: readonly Baseline[] = [random, centre, area];

/** A baseline as a method for one case. `random` draws anew for each class, `centre` and `area` know none. */
export function baselineExplainer<I>(baseline: Baseline, of: Case<I>, seed: Seed): Explainer<I> {
  return {
    id: baseline.id,
    explain: async (_input, target) => baseline.map(of.subject, seed, of.id, target),
  };
}
