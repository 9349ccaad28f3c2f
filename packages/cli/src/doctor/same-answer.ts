/**
 * Whether the compiled file answers as the file alone. The nodes that read the forward pass keep a runtime from fusing some of its
 * operators, which then round elsewhere: a quantised model may answer otherwise (the cosine of a real int8 CLIP's embedding with its own was .74).
 */
import { type Explainer, type Outputs, toFloat32 } from "vitrail/node";
import { type BlankSizes, blankFeeds } from "./blank.js";

/** Rounding in float32 and float16 stays under this share of an output's largest value. */
export const SAME = 1e-2;

const SIZES: readonly BlankSizes[] = [{}, { tokens: 9 }, { batch: 2 }];

export interface SameAnswer {
  /** How many inputs were tried. */
  readonly inputs: number;
  /** The largest difference, as a share of that output's largest value. */
  readonly apart: number;
}

/** Runs both on a few blank inputs. */
export async function compareAnswers(explainer: Explainer): Promise<SameAnswer> {
  let apart = 0;
  for (const sizes of SIZES) {
    const feeds = blankFeeds(explainer.findings, sizes);
    const alone = await explainer.predict(feeds);
    apart = Math.max(apart, largestDifference(alone, (await explainer.explain(feeds)).outputs));
  }
  return { inputs: SIZES.length, apart };
}

/** In words. */
export const sameAnswer = ({ inputs, apart }: SameAnswer): string =>
  apart <= SAME
    ? `the compiled file answers as the file alone (${inputs} blank inputs, at most ${apart.toPrecision(1)} of an output's largest value apart)`
    : `the compiled file's outputs are up to ${(100 * apart).toPrecision(2)} % off the file's alone, since the runtime fuses other operators; ` +
      "--optimisation none shows what it says unfused";

/** The largest difference of two runs' outputs, as a share of that output's largest value. */
export function largestDifference(a: Outputs, b: Outputs): number {
  const numbers = Object.entries(a).filter(([, { type }]) => type.startsWith("float"));
  const shares = numbers.map(([name, one]) => {
    const [own, other] = [toFloat32(one), b[name] && toFloat32(b[name])];
    const scale = own.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1;
    return other ? own.reduce((most, v, i) => Math.max(most, Math.abs(v - other[i]!)), 0) / scale : 0;
  });
  return Math.max(0, ...shares);
}
