import type { Stability } from "vitrail/node";
import { percent } from "./prediction.js";
import type { Answer } from "./work.js";

/** The reading of an answer; of a long text's windows, that of the least steady one. */
export function stabilityOf({ parts }: Answer): Stability | undefined {
  const readings = parts.flatMap(({ explanation, row }) => explanation.stability(row) ?? []);
  return readings.reduce<Stability | undefined>(
    (worst, own) => (worst && worst.magnification >= own.magnification ? worst : own),
    undefined,
  );
}

/** One line for those who ask how far the numbers can be trusted. */
export function stabilityLine({ weak, magnification, blocks }: Stability): string {
  const sums = blocks.map((sum) => sum.toPrecision(3)).join(" ");
  return `stability: rounding errors grow up to ${magnification.toExponential(1)} times; ${percent(weak)} of the relevance passed weak denominators; its sum block by block: ${sums}`;
}

export const instability = ({ magnification }: Stability): string =>
  `float32 may be too coarse for this map: rounding errors grow up to ${magnification.toExponential(0)} times; --option ridge=3e-3 gives a steady one`;
