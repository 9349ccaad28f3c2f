/**
 * Several targets in one run. What depends on the target gets a leading axis, [targets, ...]; everything else (the forward pass,
 * every denominator) is computed once for all of them. Methods, rules and gradients are written for one target and know nothing
 * of this: the graph that they made is rewritten node by node (in the manner of `vmap`, Bradbury et al. 2018, JAX).
 */
import type { Node, Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import type { Dim } from "../tensor/dim.js";
import { liftRules, notCovered, type Operand, repeated } from "./rules.js";

/**
 * `result` for every entry of `many` in place of `one`.
 * @param many [targets, ...the shape of `one`]
 * @returns [targets, ...the shape of `result`]; what does not depend on `one` is repeated
 * @throws VitrailError E034 where the target passes an operator that has no rule
 */
export function lift(b: Builder, result: Value, one: Value, many: Value): Value {
  const count = b.shape(many)[0]!;
  const lifted = new Map<Value, Value>([[one, many]]);
  /** Values that depend on the target by their shape alone: the same for all. */
  const shared = new Map<Value, Value>();
  const operand = (v: Value | undefined): Operand | undefined => {
    if (!v) return undefined;
    const own = lifted.get(v);
    return { value: own ?? shared.get(v) ?? v, lifted: own !== undefined, rank: v.rank ?? -1 };
  };
  const outer = { pass: b.pass, source: b.source };
  for (const node of ancestors([result])) {
    if (!node.inputs.some((v) => v && (lifted.has(v) || shared.has(v)))) continue;
    b.pass = node.pass;
    b.source = node.source;
    const x = node.inputs.map(operand);
    if (x.some((o) => o?.lifted) && node.operator !== "Shape") {
      const outputs = liftNode(b, node, x, count);
      for (const [i, v] of node.outputs.entries()) lifted.set(v, outputs[i]!);
    } else {
      const outputs = node.operator === "Shape" ? [shapeOfOne(b, x[0]!.value)] : sameNode(b, node, x);
      for (const [i, v] of node.outputs.entries()) shared.set(v, outputs[i]!);
    }
  }
  b.pass = outer.pass;
  b.source = outer.source;
  return lifted.get(result) ?? repeated(b, shared.get(result) ?? result, count);
}

function liftNode(b: Builder, node: Node, x: readonly (Operand | undefined)[], count: Dim): readonly Value[] {
  const rule = liftRules.get(node.operator);
  if (!rule) notCovered({ node }, "the target passes it, and nothing says how it takes several at once");
  const outputs = rule({ b, node, x, count });
  // What a pass knows of a shape may be more than inference finds.
  for (const [i, v] of node.outputs.entries()) if (v.shape) outputs[i]!.shape = [count, ...v.shape];
  return outputs;
}

const shapeOfOne = (b: Builder, v: Value): Value => b.slice(b.shapeOf(v), 0, 1, Number.MAX_SAFE_INTEGER);

/** Computed from shapes that were read behind the leading axis. */
function sameNode(b: Builder, node: Node, x: readonly (Operand | undefined)[]): readonly Value[] {
  const outputs = b.emitAll(
    node.operator,
    x.map((o) => o?.value),
    node.attributes,
    node.outputs.length,
  );
  for (const [i, v] of node.outputs.entries()) if (v.shape) outputs[i]!.shape = v.shape;
  return outputs;
}
