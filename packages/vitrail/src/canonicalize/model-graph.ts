/** What the compiler knows of a whole model: its inputs and outputs as values, and everything by name. */

import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";

export interface ModelGraph {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  readonly builder: Builder;
  readonly opset: number;
  /** Number of nodes in the file. */
  readonly nodeCount: number;
  /** Every name that the file uses, so that added names can avoid them. */
  readonly names: ReadonlySet<string>;
}
