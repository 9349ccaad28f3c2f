import type { Unit } from "./units.js";

/** The value at full colour. One scale may serve several texts; it says so by being passed to all of them. */
export interface Scale {
  /** The largest magnitude among units that are not special. */
  readonly limit: number;
  /** Whether any of them is negative. */
  readonly signed: boolean;
}

/** How many steps of colour there are on each side of zero. */
export const STEPS = 10;

/** The scale that fits all these texts. Special tokens do not count: their values would push the words' out of sight. */
export function scaleOf(...texts: readonly (readonly Unit[])[]): Scale {
  const values = texts.flat().flatMap((unit) => (unit.special ? [] : [unit.value]));
  return {
    limit: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    signed: values.some((value) => value < 0),
  };
}

/** The value as a share of the scale, -1 to 1; beyond a limit that the caller set it stays at the end. */
export function share(value: number, scale: Scale): number {
  return scale.limit > 0 ? Math.max(-1, Math.min(1, value / scale.limit)) : 0;
}

/** The colour step of a value, -10 to 10. Zero only for what is nearer to zero than to the first step. */
export const step = (value: number, scale: Scale): number => Math.round(share(value, scale) * STEPS) || 0;

/** The place of every unit when sorted by value, the largest first; special units have none. */
export function ranks(units: readonly Unit[]): (number | undefined)[] {
  const order = units.flatMap((unit, i) => (unit.special ? [] : [i]));
  order.sort((a, b) => units[b]!.value - units[a]!.value || a - b);
  const places = new Map(order.map((i, place) => [i, place + 1]));
  return units.map((_, i) => places.get(i));
}

/** A sentence about what the scale leaves out, or undefined when it leaves out nothing. */
export function specialNote(units: readonly Unit[]): string | undefined {
  const special = units.filter((unit) => unit.special);
  if (special.length === 0) return undefined;
  const total = units.reduce((sum, unit) => sum + Math.abs(unit.value), 0);
  const own = special.reduce((sum, unit) => sum + Math.abs(unit.value), 0);
  const part = total > 0 ? `; they hold ${percent(own / total)} of all relevance` : "";
  const names = [...new Set(special.map((unit) => unit.text))].join(", ");
  return `Special tokens (${names}) are grey and not part of the scale${part}.`;
}

/** A share in whole percent; only what is certain is called 0 or 100. */
export function percent(part: number): string {
  const rounded = Math.round(part * 100);
  if (rounded === 0 && part > 0) return "<1 %";
  return rounded === 100 && part < 1 ? ">99 %" : `${rounded} %`;
}

/** A raw value in three significant digits. */
export function raw(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e5 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

/** A share of the scale with its sign, in two decimals; the sign is never left to colour. */
export const signed = (part: number): string =>
  `${part > 0.005 ? "+" : part < -0.005 ? "−" : ""}${Math.abs(part).toFixed(2)}`;
