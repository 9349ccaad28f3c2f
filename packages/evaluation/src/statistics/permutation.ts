/**
 * Is a paired difference more than chance? Under the null hypothesis the two methods could change places on any group: signs are flipped
 * group by group. The p-value counts the flips at least as far from 0, on both sides, the observed one among them.
 *
 * Holm's correction over a table: the smallest of m p-values times m, the next times m - 1, never falling.
 * Holm. A Simple Sequentially Rejective Multiple Test Procedure. Scandinavian Journal of Statistics 1979.
 */
import { createRandom } from "../random.js";
import type { BootstrapOptions } from "./interval.js";

/** `statistic` gets one mark per group, 1 where sides are changed; its value at no change is what was observed. */
export function permutationP(
  groups: number,
  statistic: (changed: Uint8Array) => number,
  { seed = 0, flips = 4999 }: BootstrapOptions & { readonly flips?: number } = {},
): number {
  const changed = new Uint8Array(groups);
  const observed = Math.abs(statistic(changed));
  const reach = observed - 1e-9 * Math.max(1e-300, observed);
  const exact = groups <= 12;
  const random = createRandom(seed, "flips", groups);
  const runs = exact ? 2 ** groups - 1 : flips;
  let far = 1;
  for (let run = 1; run <= runs; run++) {
    let bits = run;
    for (let group = 0; group < groups; group++) {
      if (!exact && group % 32 === 0) bits = random.int(2 ** 32);
      changed[group] = bits & 1;
      bits >>>= 1;
    }
    if (Math.abs(statistic(changed)) >= reach) far++;
  }
  return far / (runs + 1);
}

/** Adjusted p-values, in the given order. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const adjusted = new Array<number>(values.length);
  let highest = 0;
  order.forEach((index, rank) => {
    highest = Math.max(highest, Math.min(1, values[index]! * (values.length - rank)));
    adjusted[index] = highest;
  });
  return adjusted;
}
