/**
 * The forward pass again, from another value on: everything that leads from `from` to `output`, at `to` in place of `from`.
 * Weights and whatever does not depend on `from` are shared with the original.
 */
import type { Node, Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";

/** `to` has the shape of `from`. */
export function copyForward(b: Builder, from: Value, to: Value, output: Value): Value {
  const copies = new Map<Value, Value>([[from, to]]);
  const guarded = guardedWeights(b);
  const outer = { pass: b.pass, source: b.source };
  b.pass = "copy";
  for (const node of ancestors([output], depended)) {
    if (copies.has(node.outputs[0]!) || !depended(node).some((v) => v && copies.has(v))) continue;
    b.source = node.source;
    const inputs = node.inputs.map((v) => v && (copies.get(v) ?? v));
    const copy = () => b.node(node.operator, inputs, node.attributes, node.outputs.length);
    const made = copy();
    for (const [i, y] of node.outputs.entries()) {
      const value = made[i]!;
      value.shape = y.shape;
      value.writtenAs = y.writtenAs && (copies.get(y.writtenAs) ?? y.writtenAs);
      if (guarded.has(y)) value.writtenAs = guard(b, copy()[i]!);
      copies.set(y, value);
    }
  }
  b.pass = outer.pass;
  b.source = outer.source;
  return copies.get(output) ?? output;
}

/** Shapes are the same in both passes, so that nothing depends on a value through its shape. */
function depended(node: Node): (Value | undefined)[] {
  if (node.operator === "Shape" || node.operator === "Size") return [];
  return [...node.inputs, ...node.outputs.map((v) => v.writtenAs)];
}

/** Repaired attention weights: in the graph they are the softmax itself (see canonicalize/guard.ts). */
const guardedWeights = (b: Builder): ReadonlySet<Value> =>
  new Set(
    b.nodes.flatMap(({ operator, outputs: [y] }) =>
      operator === "Where" && y!.producer?.operator === "Softmax" ? [y!] : [],
    ),
  );

/** 0 where a row of scores has no allowed key. */
const guard = (b: Builder, weights: Value): Value =>
  b.where(b.emit("IsNaN", [weights]), b.cast(b.scalar(0), weights.type), weights);
