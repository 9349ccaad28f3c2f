/** The parts of one sample that can be taken away, and the sample without some of them. */

import { cellOfPixels, seenRegion } from "../flow/field.js";
import { patchGrid } from "../flow/patches.js";
import type { Metadata } from "../metadata.js";
import type { Units } from "../methods/drive.js";
import { pictureAxes } from "./explanation.js";
import type { Findings } from "./load.js";
import { failure, problem } from "./problem.js";
import { type Feeds, fromFloat32, sizeOf, type Tensor, type TypedArray, toFloat32 } from "./tensor.js";

export interface Sample {
  readonly units: Units;
  /** The explained input with every unit kept in the proportion that `keep` says. */
  readonly masked: (keep: Float32Array) => Tensor;
}

/** Rows of cells in a picture whose model cuts it into no patches. */
const ROWS = 14;

/** `feeds` hold one sample. */
export function sampleUnits(findings: Findings, feeds: Feeds): Sample {
  const tensor = feeds[findings.metadata.explains]!;
  if (findings.driving!.ids) return tokens(findings, feeds, tensor);
  return pictureAxes(tensor.dims) ? cells(findings, tensor) : positions(findings, tensor);
}

function tokens({ metadata, driving }: Findings, feeds: Feeds, ids: Tensor): Sample {
  const { maskToken, keepTokens } = metadata.options as { maskToken: number; keepTokens: string };
  const count = ids.data.length;
  const padding = new Set<number>();
  for (const name of driving!.masks) {
    const mask = feeds[name];
    const values = mask && sizeOf(mask.dims) === count ? Array.from(mask.data, Number) : [];
    if (values.every((v) => v === 0 || v === 1)) for (const [i, v] of values.entries()) if (v === 0) padding.add(i);
  }
  const real = Array.from({ length: count }, (_, i) => i).filter((i) => !padding.has(i));
  const listed = new Set(keepTokens.split(",").map(Number));
  const kept = (i: number) =>
    keepTokens === "ends" ? i === real[0] || i === real.at(-1) : listed.has(Number(ids.data[i]));
  const masked = (keep: Float32Array): Tensor => {
    const data = ids.data.slice() as TypedArray;
    const hidden = data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(maskToken) : maskToken;
    for (const [i, k] of keep.entries()) if (k < 0.5) data[i] = hidden as never;
    return { type: ids.type, dims: ids.dims, data };
  };
  return { units: { count, removable: real.filter((i) => !kept(i)), partial: false }, masked };
}

function cells({ metadata }: Findings, picture: Tensor): Sample {
  const { height, width, channels, channelsLast } = pictureAxes(picture.dims)!;
  const cell = metadata.options.cell as number;
  const side = cell > 0 ? cell : Math.max(1, Math.round(height / ROWS));
  const squares = [Math.max(1, Math.round(height / side)), Math.max(1, Math.round(width / side))] as const;
  const patches = (cell === 0 && metadata.tokens && patchGrid(metadata.tokens, { height, width })) || undefined;
  const [rows, columns] = patches ?? squares;
  const region = patches && seenRegion(metadata.tokens!, patches, { height, width });
  const unitOf = cellOfPixels([rows, columns], { height, width }, region);
  const [unitAt, channelAt] = channelsLast
    ? [(i: number) => unitOf[Math.floor(i / channels)]!, (i: number) => i % channels]
    : [(i: number) => unitOf[i % unitOf.length]!, (i: number) => Math.floor(i / unitOf.length)];
  const units = { count: rows * columns, grid: [rows, columns] as const, region, removable: range(rows * columns) };
  return { units: { ...units, partial: true }, masked: blend(picture, metadata, unitAt, channelAt) };
}

/** Vectors in a row, or single numbers: every position after the batch is a unit. */
function positions({ metadata }: Findings, tensor: Tensor): Sample {
  const count = tensor.dims[1] ?? 1;
  const size = sizeOf(tensor.dims.slice(2));
  const masked = blend(
    tensor,
    metadata,
    (i) => Math.floor(i / size),
    (i) => i % size,
  );
  return { units: { count, removable: range(count), partial: true }, masked };
}

type At = (element: number) => number;

/** fill + (x - fill) keep, where the fill is a number or each channel's own mean. */
function blend({ type, dims, data }: Tensor, { options }: Metadata, unitAt: At, channelAt: At) {
  const values = toFloat32({ type, dims, data });
  const units = Uint32Array.from(values, (_, i) => unitAt(i));
  const fill = options.fill === "mean" ? channelMeans(values, channelAt) : values.map(() => readFill(options.fill));
  return (keep: Float32Array): Tensor => {
    const mixed = values.map((x, i) => {
      const k = keep[units[i]!]!;
      return k === 1 ? x : fill[i]! + (x - fill[i]!) * k;
    });
    return fromFloat32(mixed, dims, type);
  };
}

/** For every element the mean of its channel. */
function channelMeans(values: Float32Array, channelAt: At): Float32Array {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const [i, x] of values.entries()) {
    const { sum, count } = sums.get(channelAt(i)) ?? { sum: 0, count: 0 };
    sums.set(channelAt(i), { sum: sum + x, count: count + 1 });
  }
  return values.map((_, i) => {
    const { sum, count } = sums.get(channelAt(i))!;
    return sum / count;
  });
}

function readFill(text: unknown): number {
  const fill = Number(text);
  if (text !== "" && Number.isFinite(fill)) return fill;
  throw failure(problem("E016", { at: `fill "${text}"`, why: 'it is neither "mean" nor a number', try: '"0"' }));
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
