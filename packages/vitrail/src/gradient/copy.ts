/**
 * The forward pass again, from other values on: everything that leads from the starts to `output`, at their replacements. Weights
 * and whatever does not depend on the starts are shared with the original. The copy may hold several copies of every sample.
 */
import { diagnostic, VitrailError } from "../errors.js";
import { type Node, place, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import { type Dim, equal, type Poly, replaced } from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";

/** The samples' axis, and how many copies of each sample the replacements hold, one after the other. */
export interface Copies {
  readonly batch: Dim;
  readonly times: number;
}

/** Replacements have the shape of what they stand for, or that shape with `times` as many samples. */
export function copyForward(b: Builder, starts: ReadonlyMap<Value, Value>, output: Value, copies?: Copies): Value {
  const made = new Map(starts);
  const guarded = guardedWeights(b);
  const shapeOf = (shape: Shape | undefined) => (copies && shape ? shape.map((d) => enlarged(d, copies)) : shape);
  const edges = copies ? besidesShapes : depended;
  for (const node of ancestors([output], edges)) {
    if (made.has(node.outputs[0]!) || !edges(node).some((v) => v && made.has(v))) continue;
    const copy = () => b.in("copy", node.source, () => copyOf(b, node, made, copies));
    const values = copy();
    for (const [i, y] of node.outputs.entries()) {
      const value = values[i]!;
      value.shape = shapeOf(y.shape);
      value.writtenAs = y.writtenAs && (made.get(y.writtenAs) ?? y.writtenAs);
      if (guarded.has(y)) value.writtenAs = b.in("copy", node.source, () => guard(b, copy()[i]!));
      made.set(y, value);
    }
  }
  return made.get(output) ?? output;
}

/** A node again. What says a shape in the original speaks of its samples: with more of them, the known shape is written instead. */
function copyOf(b: Builder, node: Node, made: ReadonlyMap<Value, Value>, copies: Copies | undefined): readonly Value[] {
  if (copies && SHAPED.has(node.operator)) {
    const dims = b.shape(node.outputs[0]!).map((d) => enlarged(d, copies));
    const target = node.operator === "Reshape" ? b.extents.forReshape(dims) : b.extents.tensorOf(dims);
    return b.node(node.operator, [made.get(node.inputs[0]!)!, target], {}, 1);
  }
  const shared = (v: Value) => (copies ? besides(b, node, v, copies) : v);
  const inputs = node.inputs.map((v) => v && (made.get(v) ?? shared(v)));
  return b.node(node.operator, inputs, node.attributes, node.outputs.length);
}

const SHAPED = new Set(["Reshape", "Expand"]);

const enlarged = (d: Dim, { batch, times }: Copies): Dim => replaced(d, batch as Poly, times);

/**
 * What a copy reads beside the copies must fit every one of them. A mask that depends on the shape alone is the same for every
 * sample, so that its first stands for all; anything else that has samples is refused.
 */
function besides(b: Builder, node: Node, v: Value, { batch }: Copies): Value {
  const { key } = batch as Poly;
  const own = v.shape?.findIndex((d) => typeof d !== "number" && d.terms.some((t) => t.symbols.includes(key))) ?? -1;
  if (own < 0) return v;
  if (!v.dependent && BROADCASTING.has(node.operator) && equal(v.shape![own]!, batch)) return b.slice(v, own, 0, 1);
  throw new VitrailError([
    diagnostic("E025", node.operator, {
      at: place(node),
      node: node.source,
      why: "the rest of the model reads something else of every sample there, such as a mask",
      try: "occlusion or rise, which need the forward pass alone",
    }),
  ]);
}

const BROADCASTING = new Set(["Add", "Sub", "Mul", "Div", "Where"]);

const depended = (node: Node): (Value | undefined)[] => [...node.inputs, ...node.outputs.map((v) => v.writtenAs)];

/** With more samples a copy's shapes are others: they are written from the original's (copyOf). */
const besidesShapes = (node: Node): (Value | undefined)[] =>
  node.operator === "Shape" || node.operator === "Size" ? [] : depended(node);

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
