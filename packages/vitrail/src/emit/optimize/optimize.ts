/** How products are written so that a runtime is fast, or needs little memory, with what was appended. The numbers are the same. */
import type { Value } from "../../ir/graph.js";
import type { Builder } from "../../ops/builder.js";
import { countWeights } from "../size.js";
import { foldIntoWeights } from "./fold.js";
import { readTransposed } from "./gemm.js";
import { joinProducts } from "./join.js";
import { spreadRows } from "./spread.js";

/** Numbers in the weights (128 MB in float32) beyond which memory counts more than a fiftieth of the time. */
const LARGE = 2 ** 25;

export interface Wanted {
  /** Little memory rather than time; by default where the weights are large. */
  readonly compact: boolean | undefined;
  /** For several targets in one run. */
  readonly several: boolean;
}

export function optimize(b: Builder, roots: readonly Value[], wanted: Wanted): void {
  const { compact = countWeights(b, roots) > LARGE, several } = wanted;
  if (!compact) foldIntoWeights(b, roots);
  spreadRows(b, roots);
  // With several targets the copies that this needs cost as much as it saves.
  if (compact && !several) joinProducts(b, roots);
  if (compact) readTransposed(b, roots);
}
