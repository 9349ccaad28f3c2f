/** Where the patches of a picture lie: on a grid, or so many pixels apart where the size of the picture is dynamic. */
import type { Value } from "../ir/graph.js";
import { computedBy, type Dim, quotientOf, subtract, symbol, symbolsOf } from "../tensor/dim.js";

/** Rows and columns of patches; or, where the size of the picture is dynamic, pixels per patch: ⌊(size + offset) / stride⌋ patches. */
export interface Patches {
  readonly grid: readonly [number, number] | null;
  readonly stride: readonly [number, number] | null;
  /** Pixels added before the size is divided, where patches reach over the edge; none if left out. */
  readonly offset?: readonly [number, number];
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
  if (typeof rows === "number" && typeof columns === "number") return { grid: [rows, columns], stride: null };
  const [vertical, horizontal] = [spacing(rows!), spacing(columns!)];
  if (!vertical || !horizontal) return { grid: null, stride: null };
  const offset = [vertical.offset, horizontal.offset] as const;
  const stride = [vertical.stride, horizontal.stride] as const;
  return { grid: null, stride, ...(offset.some((n) => n !== 0) && { offset }) };
}

/** d = ⌊(size + offset) / stride⌋ of a size of the picture, whatever convolutions lie between. */
function spacing(d: Dim): { readonly offset: number; readonly stride: number } | undefined {
  const [over, stride] = quotientOf(d) ?? [d, 1];
  const [size, ...others] = symbolsOf(over);
  if (!size || others.length > 0 || typeof stride !== "number" || computedBy(size)) return undefined;
  const offset = subtract(over, symbol(size));
  return typeof offset === "number" ? { offset, stride } : undefined;
}
