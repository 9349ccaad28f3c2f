/**
 * One plain sentence about a map: the smallest set of patches that holds a given share of the positive relevance, and where it lies.
 *
 *   centroid = sum_i v_i (x_i, y_i) / sum_i v_i over the chosen patches, in 0..1;   thirds give a 3 x 3 grid of region words
 *   spread   = sqrt(sum_i v_i |p_i - centroid|^2 / sum_i v_i); an even map has 0.41, above 0.3 the place is called "spread out"
 */
import { pictureError } from "./error.js";
import { checkMap, type GridMap } from "./grid.js";
import { formatPercent } from "./legend.js";

export interface SummaryOptions {
  /** What the map explains, e.g. "WBC". */
  readonly label: string;
  /** Share of the positive relevance to cover, 0..1; default 0.5. */
  readonly share?: number;
  /** Instead of `share`: this many of the strongest patches. */
  readonly top?: number;
  /** What a cell of the map is called; default "patch"/"patches". */
  readonly unit?: readonly [string, string];
}

export interface Summary {
  /** e.g. "62 % of the positive relevance for WBC lies in 9 of 144 patches, centre left." */
  readonly sentence: string;
  /** Share of the positive relevance in the chosen patches, 0..1. */
  readonly share: number;
  /** Indices of the chosen patches, strongest first; equal values in reading order. */
  readonly patches: readonly number[];
  /** A word of `regions`, "spread out", or "" without positive relevance. */
  readonly region: string;
}

const regions = [
  ["upper left", "upper centre", "upper right"],
  ["centre left", "centre", "centre right"],
  ["lower left", "lower centre", "lower right"],
] as const;

/** Sums up a map. Values below zero and values that are not finite do not count. Throws `bad-map`, `bad-option`. */
export function summarize(map: GridMap, options: SummaryOptions): Summary {
  checkMap(map);
  const { share: wantedShare = 0.5, top } = options;
  if (!(wantedShare > 0 && wantedShare <= 1) || (top !== undefined && !(Number.isInteger(top) && top > 0))) {
    throw pictureError(
      "bad-option",
      `share ${wantedShare}, top ${top}`,
      "share lies in 0..1, top is at least 1",
      "correct the option",
    );
  }
  const values = Float64Array.from(map.values, (v) => (Number.isFinite(v) && v > 0 ? v : 0));
  const total = values.reduce((a, b) => a + b, 0);
  const [one, many] = options.unit ?? ["patch", "patches"];
  if (total === 0)
    return { sentence: `No positive relevance for ${options.label}.`, share: 0, patches: [], region: "" };
  const sorted = [...values.keys()].filter((i) => values[i]! > 0).sort((a, b) => values[b]! - values[a]! || a - b);
  const patches: number[] = [];
  const wanted = wantedShare * total * (1 - 1e-12);
  let sum = 0;
  for (const i of sorted) {
    if (top === undefined ? sum >= wanted && patches.length > 0 : patches.length >= top) break;
    patches.push(i);
    sum += values[i]!;
  }
  const share = sum / total;
  const region = regionOf(map, values, patches, sum);
  const count = `${patches.length} of ${values.length} ${values.length === 1 ? one : many}`;
  const verb = `${formatPercent(share)} of the positive relevance for ${options.label} lies in ${count}`;
  return { sentence: `${verb}, ${region}.`, share, patches, region };
}

function regionOf(map: GridMap, values: Float64Array, patches: readonly number[], sum: number): string {
  const place = (i: number) =>
    [((i % map.columns) + 0.5) / map.columns, (Math.floor(i / map.columns) + 0.5) / map.rows] as const;
  let x = 0;
  let y = 0;
  for (const i of patches) {
    x += (values[i]! / sum) * place(i)[0];
    y += (values[i]! / sum) * place(i)[1];
  }
  let variance = 0;
  for (const i of patches) {
    const [px, py] = place(i);
    variance += (values[i]! / sum) * ((px - x) ** 2 + (py - y) ** 2);
  }
  if (Math.sqrt(variance) > 0.3) return "spread out";
  const third = (v: number) => Math.min(2, Math.floor(v * 3));
  return regions[third(y)]![third(x)]!;
}
