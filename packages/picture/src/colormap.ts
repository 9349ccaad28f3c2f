/**
 * Colour maps as tables of 256 colours. Sequential maps for values that start at zero, one diverging map for signed values
 * (its middle is zero). All are perceptually uniform or nearly so and safe for colour-blind readers.
 */
import { colormapData } from "./colormap-data.js";
import type { Rgb } from "./raster.js";

export type ColormapName = keyof typeof colormapData;

export interface Colormap {
  readonly name: ColormapName;
  readonly kind: "sequential" | "diverging";
  readonly title: string;
  /** 256 x RGB. */
  readonly table: Uint8Array;
}

const entry = (name: ColormapName, kind: Colormap["kind"], title: string): Colormap => {
  const text = colormapData[name];
  const table = Uint8Array.from({ length: 768 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
  return { name, kind, title, table };
};

/** All colour maps; menus and `--cmap` are made from this. */
export const colormaps: Readonly<Record<ColormapName, Colormap>> = {
  viridis: entry("viridis", "sequential", "Viridis"),
  magma: entry("magma", "sequential", "Magma"),
  inferno: entry("inferno", "sequential", "Inferno"),
  cividis: entry("cividis", "sequential", "Cividis"),
  greys: entry("greys", "sequential", "Greys"),
  "blue-white-red": entry("blue-white-red", "diverging", "Blue, white, red"),
};

/** The map to use when nobody chose: viridis for values from zero, blue-white-red for signed values. */
export function defaultColormap(signed: boolean): Colormap {
  return signed ? colormaps["blue-white-red"] : colormaps.viridis;
}

/** The colour at `position` 0..1 (clamped). */
export function colorAt(map: Colormap, position: number): Rgb {
  const i = Math.round(Math.min(1, Math.max(0, position)) * 255) * 3;
  return [map.table[i]!, map.table[i + 1]!, map.table[i + 2]!];
}
