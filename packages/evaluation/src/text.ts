/** Sentences as subjects: tokens can be masked or dropped; special tokens are no units and always stay. */
import type { Subject } from "./model.js";

export interface Tokens<I> {
  /** Token ids as the model sees them, special tokens included. */
  readonly ids: readonly number[];
  /** Positions of the tokens that count as units, in order. */
  readonly units: readonly number[];
  /** What stands in place of a removed token; without it the token is dropped. */
  readonly mask?: number;
  /** From ids to the model's input (attention mask, padding). */
  toInput(ids: readonly number[]): I;
}

export function textSubject<I>({ ids, units, mask, toInput }: Tokens<I>): Subject<I> {
  return {
    input: toInput(ids),
    units: units.length,
    without(gone) {
      const removed = new Set(units.filter((_, unit) => gone[unit]));
      if (mask === undefined) return toInput(ids.filter((_, position) => !removed.has(position)));
      return toInput(ids.map((id, position) => (removed.has(position) ? mask : id)));
    },
  };
}
