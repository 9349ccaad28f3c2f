import { type Tensor, toFloat32 } from "./tensor.js";

/** How far float32 can be trusted with one explanation (relevance/stability.ts has the formulas). */
export interface Stability {
  /** Share of the relevance that passed through denominators below their stabiliser, or below a thousandth of their mean. */
  readonly weak: number;
  /** How much a rounding error grows at the worst division: the mean of (mean|z| / z)², weighted with relevance. */
  readonly magnification: number;
  /** Sum of relevance where each block's attention joins the stream, from the first block to the last. */
  readonly blocks: readonly number[];
  /** Another runtime or machine may give a visibly different map. */
  readonly poor: boolean;
}

/** Above this the float32 map may be off by more than one part in a hundred (docs/decisions/0010). */
const POOR = 1e6;

export function stabilityOf(readings: Tensor, sample: number): Stability {
  const width = readings.dims[1]!;
  const [weak, magnification, ...blocks] = toFloat32(readings).slice(sample * width, (sample + 1) * width);
  return { weak: weak!, magnification: magnification!, blocks, poor: !(magnification! <= POOR) };
}
