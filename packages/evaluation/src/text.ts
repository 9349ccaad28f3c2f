/** Sentences as subjects: tokens can be masked or dropped; special tokens are no units and always stay. */
import type { Subject } from "./model.js";

export interface Tokens<I> {
  /** Token ids as the model sees them, special tokens included. */
  readonly ids: readonly number[];
  /** Positions of the tokens that count as units, in order. */
  readonly units: readonly number[];
  /** What stands in place of a removed token; without it the token is dropped, and so it is with the fill `drop`. */
  readonly mask?: number;
  /** From ids to the model's input (attention mask, padding). `positions`: where each of them stands in the whole. */
  toInput(ids: readonly number[], positions: readonly number[]): I;
}

export function textSubject<I>({ ids, units, mask, toInput }: Tokens<I>): Subject<I> {
  const all = ids.map((_, position) => position);
  return {
    input: toInput(ids, all),
    units: units.length,
    without(gone, fill) {
      const removed = new Set(units.filter((_, unit) => gone[unit]));
      if (mask !== undefined && fill !== "drop") {
        return toInput(
          ids.map((id, position) => (removed.has(position) ? mask : id)),
          all,
        );
      }
      const kept = all.filter((position) => !removed.has(position));
      return toInput(
        kept.map((position) => ids[position]!),
        kept,
      );
    },
  };
}
