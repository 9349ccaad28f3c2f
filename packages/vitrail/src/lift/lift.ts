/**
 * Several targets in one run. What depends on the target gets an axis of targets; everything else (the forward pass, every
 * denominator) is computed once for all of them. Methods, rules and gradients are written for one target and know nothing
 * of this: the graph that they made is rewritten node by node (in the manner of `vmap`, Bradbury et al. 2018, JAX).
 *
 * The axis lies behind that of the samples and tokens, [batch, tokens, targets, width]: a product with weights has more rows, and
 * where a value for one target meets one for all, the runtime has as many equal pieces as there are tokens and targets to share
 * out among its threads. (With the axis in front the pieces are the targets: three of them keep two threads busy as long as four.)
 */
import type { Node, Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import type { Dim } from "../tensor/dim.js";
import { indexOf, isLifted, type Lifted, moved, type Operand, repeated, withEntry } from "./axis.js";
import { notCovered } from "./lift-rule.js";
import { liftRules } from "./rules.js";

/**
 * `result` for every entry of `many` in place of `one`.
 * @param many [targets, ...the shape of `one`]
 * @returns [targets, ...the shape of `result`]; what does not depend on `one` is repeated
 * @throws VitrailError E034 where the target passes an operator that has no rule
 */
export function lift(b: Builder, result: Value, one: Value, many: Value): Value {
  const outer = { pass: b.pass, source: b.source };
  const count = b.shape(many)[0]!;
  const lifted = new Map<Value, Lifted>([[one, behindSamples(b, many, b.rank(one))]]);
  /** Values that depend on the target by their shape alone: the same for all. */
  const shared = new Map<Value, Value>();
  const operand = (v: Value | undefined): Operand | undefined => {
    if (!v) return undefined;
    const { value = shared.get(v) ?? v, behind } = lifted.get(v) ?? {};
    return { value, behind, rank: b.rank(v) };
  };
  for (const node of ancestors([result])) {
    if (!node.inputs.some((v) => v && (lifted.has(v) || shared.has(v)))) continue;
    b.pass = node.pass;
    b.source = node.source;
    const x = node.inputs.map(operand);
    if (x.some(isLifted) && node.operator !== "Shape") {
      const outputs = liftNode(b, node, x, count);
      for (const [i, v] of node.outputs.entries()) lifted.set(v, outputs[i]!);
    } else {
      const outputs = node.operator === "Shape" ? [shapeOfOne(b, x[0]!)] : sameNode(b, node, x);
      for (const [i, v] of node.outputs.entries()) shared.set(v, outputs[i]!);
    }
  }
  b.pass = outer.pass;
  b.source = outer.source;
  const found = operand(result)!;
  return isLifted(found) ? moved(b, found, found.rank) : repeated(b, found.value, count, found.rank);
}

/** [targets, batch, ...] as [batch, targets, ...]. */
function behindSamples(b: Builder, many: Value, rank: number): Lifted {
  b.pass = "seed";
  b.source = "";
  const behind = Math.max(0, rank - 1);
  return { value: moved(b, { value: many, behind: rank, rank }, behind), behind };
}

function liftNode(b: Builder, node: Node, x: readonly (Operand | undefined)[], count: Dim): readonly Lifted[] {
  const rule = liftRules.get(node.operator);
  if (!rule) notCovered({ node }, "the target passes it, and nothing says how it takes several at once");
  const outputs = rule({ b, node, x, count });
  // What a pass knows of a shape may be more than inference finds.
  for (const [i, { shape }] of node.outputs.entries()) {
    const { value, behind } = outputs[i]!;
    if (shape) value.shape = withEntry(shape, behind, count);
  }
  return outputs;
}

/** The shape that the value has for one target. */
function shapeOfOne(b: Builder, o: Operand): Value {
  const shape = b.shapeOf(o.value);
  if (!isLifted(o)) return shape;
  const at = indexOf(o.rank, o.behind);
  return b.concat([b.slice(shape, 0, 0, at), b.slice(shape, 0, at + 1, Number.MAX_SAFE_INTEGER)], 0);
}

/** Computed from shapes of lifted values. */
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
