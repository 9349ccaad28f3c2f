/** Reading single values of a settings file: a value is understood, absent, or complained about. */
import type { PictureErrorCode } from "./error.js";
import type { Size } from "./processor.js";
import { type Filter, filterByCode } from "./resample.js";

export type Settings = Readonly<Record<string, unknown>>;
/** Notes a problem; all are reported together at the end. */
export type Complain = (code: PictureErrorCode, what: string, why: string, hint: string) => void;

export const isObject = (v: unknown): v is Settings => typeof v === "object" && v !== null && !Array.isArray(v);
export const isCount = (v: unknown): v is number => typeof v === "number" && Number.isInteger(v) && v > 0;
export const show = (v: unknown) => JSON.stringify(v) ?? String(v);

/** true or false; `otherwise` when absent or null. */
export function readFlag(name: string, value: unknown, otherwise: boolean, complain: Complain): boolean {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== "boolean") {
    complain("bad-setting", `${name}: ${show(value)}`, "it must be true or false", "correct preprocessor_config.json");
  }
  return value === true;
}

/** A whole number, [height, width], or one of transformers' size objects (`get_size_dict`). */
export function readSize(
  name: string,
  value: unknown,
  max: unknown,
  number: "square" | "edge",
  complain: Complain,
): Size {
  const wrong = (): Size => {
    complain(
      "bad-setting",
      `${name}: ${show(value)}`,
      "a size is a whole number, {height, width}, {shortest_edge} or {longest_edge}",
      "correct preprocessor_config.json",
    );
    return { height: 1, width: 1 };
  };
  const longest = isCount(max) ? { longest_edge: max } : {};
  if (isCount(value))
    return number === "square" ? { height: value, width: value } : { shortest_edge: value, ...longest };
  if (Array.isArray(value)) {
    const [height, width] = value as unknown[];
    return isCount(height) && isCount(width) && value.length === 2 ? { height, width } : wrong();
  }
  if (!isObject(value)) return wrong();
  const { height, width, shortest_edge, longest_edge, ...rest } = value;
  if (Object.keys(rest).length > 0) return wrong();
  if (isCount(height) && isCount(width) && shortest_edge === undefined && longest_edge === undefined)
    return { height, width };
  if (height !== undefined || width !== undefined) return wrong();
  if (isCount(shortest_edge)) {
    if (isCount(longest_edge)) return { shortest_edge, longest_edge };
    return longest_edge === undefined || longest_edge === null ? { shortest_edge, ...longest } : wrong();
  }
  return isCount(longest_edge) && shortest_edge === undefined ? { longest_edge } : wrong();
}

/** PIL's number of a filter. */
export function readFilter(value: unknown, otherwise: Filter, complain: Complain): Filter {
  if (value === undefined || value === null) return otherwise;
  const filter = typeof value === "number" ? filterByCode[value] : undefined;
  if (!filter)
    complain(
      "bad-setting",
      `resample: ${show(value)}`,
      "PIL's filters have the numbers 0 to 5",
      "use 2 (bilinear) or 3 (bicubic)",
    );
  return filter ?? otherwise;
}

/** A number above 0. */
export function readNumber(name: string, value: unknown, otherwise: number, complain: Complain): number {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  complain("bad-setting", `${name}: ${show(value)}`, "it must be a number above 0", "correct the settings");
  return otherwise;
}

/** One number for each channel; a single number counts for all. */
export function readList(
  name: string,
  value: unknown,
  otherwise: readonly number[],
  channels: number,
  complain: Complain,
): readonly number[] {
  const list =
    value === undefined || value === null ? otherwise : Array.isArray(value) ? value : Array(channels).fill(value);
  const fits = list.length === channels || (value === undefined && channels === 1);
  const numbers = list.every(
    (v: unknown) => typeof v === "number" && Number.isFinite(v) && (v > 0 || !name.endsWith("std")),
  );
  if (fits && numbers) return list.slice(0, channels);
  complain(
    "bad-setting",
    `${name}: ${show(value)}`,
    `the model takes ${channels} channels, and a deviation must be above 0`,
    "give one number for each channel",
  );
  return Array(channels).fill(1);
}
