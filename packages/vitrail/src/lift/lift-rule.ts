/** What a rule sees and gives. */

import { fail } from "../errors.js";
import type { GivenAttributes } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import type { Dim } from "../tensor/dim.js";
import type { Lifted, Operand } from "./axis.js";

export interface LiftContext {
  readonly b: Builder;
  readonly node: Node;
  readonly x: readonly (Operand | undefined)[];
  /** Extent of the axis of targets. */
  readonly count: Dim;
}

/** The node's outputs for all targets. */
export type LiftRule = (context: LiftContext) => readonly Lifted[];

export const values = (x: LiftContext["x"]): (Value | undefined)[] => x.map((o) => o?.value);

/** The operator once more, with other operands. */
export const again = (
  { b, node }: LiftContext,
  inputs: readonly (Value | undefined)[],
  behind: number,
  attributes: GivenAttributes = node.attributes,
): Lifted[] => b.emitAll(node.operator, inputs, attributes, node.outputs.length).map((value) => ({ value, behind }));

export function notCovered({ node }: Pick<LiftContext, "node">, why: string): never {
  fail("E034", node.operator, {
    at: place(node),
    node: node.source,
    why,
    try: "one target in each run (without severalTargets)",
  });
}
