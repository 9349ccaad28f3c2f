/**
 * What `-t`, `--contrast` and `--at` ask for: `LABEL`, `INDEX`, `predicted` or `topK`, of a dense output also `LABEL@row,column` (of
 * queries `LABEL@query`), each with the place that is meant.
 */
import { type Classes, classNamed } from "vitrail/node";
import { problem } from "../problem.js";
import { classesOf, type OutputView } from "./output.js";

/** A pixel of the picture as it was given. */
export interface Pixel {
  readonly x: number;
  readonly y: number;
}

/** A number for each axis of the output that is no class, or a pixel; without either, where the model is surest. */
export type At = readonly number[] | Pixel | undefined;

export type Wanted = (
  | { kind: "class"; index: number }
  | { kind: "top"; count: number }
  | { kind: "contrast"; plus: number; minus: number }
) & {
  at?: At;
};

export const isPlace = (at: At): at is readonly number[] => Array.isArray(at);

interface Asking {
  target?: string[];
  contrast?: string[];
  at?: string;
}

/** What the flags ask for; the predicted class where they ask for nothing. */
export function readWanted(flags: Asking, view: OutputView): Wanted[] {
  const pixel = readPixel(flags.at);
  const { targets, contrasts } = asked(flags);
  return [
    ...targets.map((text) => parseTarget(text, classesOf(view), view)),
    ...contrasts.map((text) => parseContrast(text, classesOf(view), view)),
  ].map((wanted) => (pixel && !wanted.at ? { ...wanted, at: pixel } : wanted));
}

/** What the flags name; the predicted class where they name nothing. */
export const asked = ({ target, contrast: contrasts = [] }: Asking) => ({
  targets: target ?? (contrasts.length > 0 ? [] : ["predicted"]),
  contrasts,
});

export function readPixel(text: string | undefined): Pixel | undefined {
  if (text === undefined) return undefined;
  const [, x, y] = /^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(text) ?? [];
  if (x !== undefined && y !== undefined) return { x: Number(x), y: Number(y) };
  throw problem("E080", { at: `--at ${text}`, why: "it is no pixel", try: "--at x,y in pixels of the picture" });
}

type Axes = Pick<OutputView, "axes" | "classAt">;
const FLAT: Axes = { axes: ["class"], classAt: 0 };

export function parseTarget(text: string, classes: Classes, view: Axes = FLAT): Wanted {
  if (classes.labels?.includes(text)) return { kind: "class", index: parseClass(text, classes) };
  const { what, at } = placed(text, view);
  const place = at && { at };
  if (what === "predicted" || what === "") return { kind: "top", count: 1, ...place };
  const top = /^top[- ]?([1-9]\d*)$/i.exec(what);
  if (top) return { kind: "top", count: Number(top[1]), ...place };
  if (view.classAt === undefined) {
    const why = "the explained output is a map of values, without classes";
    throw problem("E084", { at: `target "${text}"`, why, try: "predicted, @row,column, or --at x,y" });
  }
  return { kind: "class", index: parseClass(what, classes), ...place };
}

/** `A:B`: what speaks for A and against B. A label may hold a colon itself, so every split is tried. */
export function parseContrast(text: string, classes: Classes, view: Axes = FLAT): Wanted {
  const { what, at } = placed(text, view);
  const splits = [...what.matchAll(/:/g)].map(({ index }) => [what.slice(0, index), what.slice(index + 1)] as const);
  if (splits.length === 0) {
    throw problem("E080", { at: `--contrast ${text}`, why: "it names one class only", try: "--contrast A:B" });
  }
  let failure: unknown;
  for (const [plus, minus] of splits) {
    try {
      const pair = { plus: parseClass(plus, classes), minus: parseClass(minus, classes) };
      return { kind: "contrast", ...pair, ...(at && { at }) };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** `WHAT@n,n`: one number for each axis that is no class. A label may hold an @ itself: what does not end in numbers is no place. */
function placed(text: string, { axes, classAt }: Axes): { what: string; at?: readonly number[] } {
  const [, what, numbers] = /^(.*)@\s*(\d+(?:\s*,\s*\d+)*)\s*$/s.exec(text) ?? [];
  const places = axes.filter((_, axis) => axis !== classAt);
  if (what === undefined || (places.length === 0 && axes.length <= 1 && /\S/.test(what) === false))
    return { what: text };
  const at = numbers!.split(",").map(Number);
  if (at.length === places.length) return { what, at };
  const why =
    places.length === 0
      ? "the explained output says one thing of the whole input"
      : `a place has ${places.length} numbers: ${places.join(", ")}`;
  const hint = places.length === 0 ? "leave the place out" : `${what || "LABEL"}@${places.join(",")}`;
  throw problem("E045", { at: `target "${text}"`, why, try: hint });
}

/** The class that a name means; `index:7` and `label:7` say which of two. */
export const parseClass = classNamed;
