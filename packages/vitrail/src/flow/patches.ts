/** Where the patches of a picture lie: on a grid, or so many pixels apart where the size of the picture is dynamic. */
import type { Value } from "../ir/graph.js";
import {
  add,
  computedBy,
  type Dim,
  multiply,
  quotientOf,
  subtract,
  symbol,
  symbolsOf,
  termsOf,
} from "../tensor/dim.js";
import { type Field, fieldOf, seenRegion } from "./field.js";

/** Rows and columns of patches; or, where the size of the picture is dynamic, pixels per patch: ⌊(size + offset) / stride⌋ patches. */
export interface Patches {
  readonly grid: readonly [number, number] | null;
  readonly stride: readonly [number, number] | null;
  /** Pixels added before the size is divided, where patches reach over the edge; none if left out. */
  readonly offset?: readonly [number, number];
  /** Which pixels they see, where that is not said by the stride alone (field.ts). */
  readonly field?: Field;
}

/** Rows and columns of the patches of one picture, where the model has patches. */
export function patchGrid(
  { grid, stride, offset = [0, 0] }: Patches,
  { height, width }: { readonly height: number; readonly width: number },
): readonly [number, number] | undefined {
  if (grid) return grid;
  return stride
    ? [Math.floor((height + offset[0]) / stride[0]), Math.floor((width + offset[1]) / stride[1])]
    : undefined;
}

/** The patches whose features are `v`, [samples, channels, rows, columns]. */
export function patchesOf(v: Value): Patches {
  const [, , rows, columns] = v.shape!;
  const { field, picture = [] } = fieldOf(v) ?? {};
  if (typeof rows === "number" && typeof columns === "number") {
    const grid = [rows, columns] as const;
    const [height, width] = picture;
    const known = typeof height === "number" && typeof width === "number";
    const partly = field && known && seenRegion({ grid, stride: null, field }, grid, { height, width });
    return { grid, stride: null, ...(partly && { field }) };
  }
  const [vertical, horizontal] = [spacing(rows!), spacing(columns!)];
  if (!vertical || !horizontal) return { grid: null, stride: null };
  const offset = [vertical.offset, horizontal.offset] as const;
  const stride = [vertical.stride, horizontal.stride] as const;
  const offsets = offset.some((n) => n !== 0);
  const beside = !offsets && [0, 1].every((i) => field?.start[i] === 0 && field.size[i] === stride[i]);
  return { grid: null, stride, ...(offsets && { offset }), ...(field && !beside && { field }) };
}
/** d = ⌊a / stride⌋ + n = ⌊(size + offset) / stride⌋ of a size of the picture, whatever convolutions lie between. */
function spacing(d: Dim): { readonly offset: number; readonly stride: number } | undefined {
  const constant = termsOf(d).find(({ symbols }) => symbols.length === 0)?.coefficient ?? 0;
  const [under, stride] = quotientOf(subtract(d, constant)) ?? [subtract(d, constant), 1];
  const over = add(under, multiply(stride, constant));
  const [size, ...others] = symbolsOf(over);
  if (!size || others.length > 0 || typeof stride !== "number" || computedBy(size)) return undefined;
  const offset = subtract(over, symbol(size));
  return typeof offset === "number" ? { offset, stride } : undefined;
}
