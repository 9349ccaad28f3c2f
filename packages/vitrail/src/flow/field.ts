/**
 * Which pixels of the picture a grid of patches sees. Along one axis patch i sees the pixels from
 *
 *   start + i step   to   start + i step + size,
 *
 * found by following the features down through every window (kernel k, dilation d, stride s, padding p in front):
 *
 *   size <- (size - 1) s + d (k - 1) + 1,   start <- start s - p,   step <- step s
 *
 * Padding between windows counts as pixels, as in any reckoning of receptive fields.
 */
import { ints } from "../ir/attribute.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { type Dim, equal } from "../tensor/dim.js";
import type { Patches } from "./patches.js";

/** Pixels, for rows and for columns. */
export interface Field {
  readonly start: readonly [number, number];
  readonly step: readonly [number, number];
  readonly size: readonly [number, number];
}

/** Part of a picture, in its pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The field of features [samples, channels, rows, columns], and rows and columns of the picture; undefined where something other than
 * windows lies below them.
 */
export function fieldOf(features: Value): { readonly field: Field; readonly picture: readonly Dim[] } | undefined {
  let [start, step, size] = [pair(0), pair(1), pair(1)];
  let at = features;
  while (at.producer && !at.pixels) {
    const node: Node = at.producer;
    const window = windowOf(node);
    if (!window) {
      const below = dataInputs(node).find((v) => sameExtents(v, at));
      if (below) {
        at = below;
        continue;
      }
      // A picture with its channels last is turned: rows and columns stay what they are.
      if (!ints(node, "perm") || node.inputs[0]!.producer) return undefined;
      break;
    }
    const { kernel, stride, dilation, pad } = window;
    size = both((i) => (size[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1);
    start = both((i) => start[i] * stride[i] - pad[i]);
    step = both((i) => step[i] * stride[i]);
    at = node.inputs[0]!;
  }
  return { field: { start, step, size }, picture: at.shape!.slice(2) };
}

/**
 * The part of a picture that its patches see, if that is not all of it: what a stride leaves over at the end is not seen.
 * `grid` is rows and columns of patches.
 */
export function seenRegion(
  { stride, offset, field }: Patches,
  grid: readonly [number, number],
  picture: { readonly height: number; readonly width: number },
): Region | undefined {
  // Patches beside each other are not written down: their stride says it all.
  const seen = field ?? (stride && !offset ? { start: pair(0), step: stride, size: stride } : undefined);
  if (!seen) return undefined;
  const extent = [picture.height, picture.width] as const;
  const from = both((i) => Math.max(0, seen.start[i]));
  const to = both((i) => Math.min(extent[i], seen.start[i] + (grid[i] - 1) * seen.step[i] + seen.size[i]));
  if (from.every((n) => n === 0) && to.every((n, i) => n === extent[i])) return undefined;
  return { x: from[1], y: from[0], width: to[1] - from[1], height: to[0] - from[0] };
}

/** For every pixel the cell that it lies in, row by row; a pixel beside the region goes to the nearest one. */
export function cellOfPixels(
  [rows, columns]: readonly [number, number],
  { height, width }: { readonly height: number; readonly width: number },
  region: Region = { x: 0, y: 0, height, width },
): Uint32Array {
  const cell = (at: number, start: number, length: number, cells: number) =>
    Math.min(cells - 1, Math.max(0, Math.floor(((at - start) * cells) / length)));
  const cells = new Uint32Array(height * width);
  for (let y = 0, at = 0; y < height; y++) {
    const first = cell(y, region.y, region.height, rows) * columns;
    for (let x = 0; x < width; x++) cells[at++] = first + cell(x, region.x, region.width, columns);
  }
  return cells;
}

type Pair = readonly [number, number];
const pair = (n: number): Pair => [n, n];
const both = (of: (axis: 0 | 1) => number): Pair => [of(0), of(1)];

const sameExtents = (a: Value, b: Value): boolean =>
  a.rank === 4 && b.rank === 4 && [2, 3].every((axis) => equal(a.shape![axis]!, b.shape![axis]!));

/** How an operator slides over rows and columns; undefined for one that does not. */
function windowOf(node: Node) {
  const [x, weights] = node.inputs;
  const given = ints(node, "kernel_shape");
  const slides = given ?? ints(node, "strides") ?? ints(node, "pads");
  const kernel = given ?? (slides && weights?.rank === 4 ? weights.shape!.slice(2) : undefined);
  if (kernel?.length !== 2 || !kernel.every((k) => typeof k === "number") || x?.rank !== 4) return undefined;
  const list = (name: string, otherwise: number): Pair => {
    const found = ints(node, name);
    return [found?.[0] ?? otherwise, found?.[1] ?? otherwise];
  };
  return {
    kernel: kernel as unknown as Pair,
    stride: list("strides", 1),
    dilation: list("dilations", 1),
    pad: list("pads", 0),
  };
}
