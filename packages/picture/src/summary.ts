/**
 * Plain sentences about a map: the smallest set of patches that holds a given share of the positive relevance, and where it lies; of
 * signed maps the same about the negative relevance, and what stands for and against in all.
 *
 *   centroid = sum_i v_i (x_i, y_i) / sum_i v_i over the chosen patches, in 0..1;   thirds give a 3 x 3 grid of region words
 *   spread   = sqrt(sum_i v_i |p_i - centroid|^2 / sum_i v_i); an even map has 0.41, above 0.3 the place is called "spread out"
 */
import { pictureError } from "./error.js";
import { checkMap, type GridMap } from "./grid.js";
import { formatNumber, formatPercent } from "./legend.js";

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
  /**
   * e.g. "62 % of the positive relevance for WBC lies in 9 of 144 patches, centre left." Where values are negative, also "55 % of the
   * negative relevance lies in 2, lower right. In all 0.0458 speaks for it and 0.0353 against it."
   */
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

/** One sign of a map. */
interface Side {
  readonly total: number;
  readonly share: number;
  readonly patches: readonly number[];
  readonly region: string;
}

/** Sums up a map. Values that are not finite do not count. Throws `bad-map`, `bad-option`. */
export function summarize(map: GridMap, options: SummaryOptions): Summary {
  checkMap(map);
  const { share = 0.5, top, label } = options;
  if (!(share > 0 && share <= 1) || (top !== undefined && !(Number.isInteger(top) && top > 0))) {
    throw pictureError(
      "bad-option",
      `share ${share}, top ${top}`,
      "share lies in 0..1, top is at least 1",
      "correct the option",
    );
  }
  const [one, many] = options.unit ?? ["patch", "patches"];
  const cells = map.values.length;
  const plus = sideOf(map, 1, share, top);
  const minus = sideOf(map, -1, share, top);
  const { total, ...summary } = plus;
  const found =
    total === 0
      ? `No positive relevance for ${label}.`
      : `${formatPercent(plus.share)} of the positive relevance for ${label} lies in ${plus.patches.length} of ${cells} ${cells === 1 ? one : many}, ${plus.region}.`;
  if (minus.total === 0) return { ...summary, sentence: found };
  const against = `${formatPercent(minus.share)} of the negative relevance lies in ${minus.patches.length}, ${minus.region}.`;
  const sums = `In all ${formatNumber(total)} speaks for it and ${formatNumber(minus.total)} against it.`;
  return { ...summary, sentence: [found, against, sums].join(" ") };
}

/** The strongest patches of one sign, until they hold the share; or as many as asked for. */
function sideOf(map: GridMap, sign: 1 | -1, wantedShare: number, top: number | undefined): Side {
  const values = Float64Array.from(map.values, (v) => (Number.isFinite(v) && v * sign > 0 ? v * sign : 0));
  const total = values.reduce((a, b) => a + b, 0);
  if (total === 0) return { total, share: 0, patches: [], region: "" };
  const sorted = [...values.keys()].filter((i) => values[i]! > 0).sort((a, b) => values[b]! - values[a]! || a - b);
  const patches: number[] = [];
  const wanted = wantedShare * (1 - 1e-12);
  let sum = 0;
  for (const i of sorted) {
    if (top === undefined ? sum / total >= wanted && patches.length > 0 : patches.length >= top) break;
    patches.push(i);
    sum += values[i]!;
  }
  return { total, share: sum / total, patches, region: regionOf(map, values, patches, sum) };
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
