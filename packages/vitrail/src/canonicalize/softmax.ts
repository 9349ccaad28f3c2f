/**
 * What a softmax is, however the file writes it. Two things stand for it in the canonical graph:
 *
 *  - exp(x) / Σ exp(x), with or without the maximum taken off first (onnxruntime writes it so where it puts a precision of its
 *    own around a float16 softmax), also as a product with the reciprocal, or as exp of a log-softmax;
 *  - Where(IsNaN(p), 0, p): rows of scores without any allowed key give NaN, which exporters repair. The repaired weights are
 *    the softmax as far as everything downstream and every cotangent is concerned (0 · NaN must not arise).
 */
import { flag, int } from "../ir/attribute.js";
import { type Node, numberOf, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { reducedAxes } from "../ops/reduction.js";

export function settleSoftmax(b: Builder): void {
  for (const node of [...b.nodes]) {
    const found = written(b, node);
    const weights = node.outputs[0]!;
    if (found && found.scores.type === weights.type) produceBy(weights, softmaxOf(b, found, node));
  }
  for (const node of b.nodes) {
    const softmax = repaired(node);
    if (softmax) produceBy(node.outputs[0]!, softmax);
  }
}

interface Written {
  readonly scores: Value;
  readonly axis: number;
}

function written(b: Builder, node: Node): Written | undefined {
  const [a, c] = node.inputs.map(beforeCasts);
  if (!a) return undefined;
  if (node.operator === "Exp" && a.producer?.operator === "LogSoftmax") {
    const axis = int(a.producer, "axis", -1);
    return single(b, a.producer.inputs[0]!, [axis < 0 ? axis + a.rank! : axis]);
  }
  if (!c) return undefined;
  if (node.operator === "Div") return normalised(b, a, c);
  if (node.operator !== "Mul") return undefined;
  const [top, factor] = c.producer?.operator === "Reciprocal" ? [a, c] : [c, a];
  const below = factor.producer?.operator === "Reciprocal" ? beforeCasts(factor.producer.inputs[0]) : undefined;
  return below && normalised(b, top, below);
}

/** exp(x) over its own sum along one axis. */
function normalised(b: Builder, top: Value, below: Value): Written | undefined {
  const [exp, sum] = [top.producer, below.producer];
  if (exp?.operator !== "Exp" || sum?.operator !== "ReduceSum") return undefined;
  if (beforeCasts(sum.inputs[0]) !== top || !flag(sum, "keepdims", true) || top.rank === undefined) return undefined;
  const axes = reducedAxes(sum, top.rank);
  const scores = exp.inputs[0]!;
  return axes && single(b, withoutMaximum(scores, axes) ?? scores, axes);
}

/** Before opset 13 a softmax runs over all axes from the given one on. */
const single = (b: Builder, scores: Value, axes: readonly number[]): Written | undefined =>
  axes.length === 1 && (b.opset >= 13 || axes[0] === scores.rank! - 1) ? { scores, axis: axes[0]! } : undefined;

/** x, where the value is x - max(x) along the same axes. */
function withoutMaximum(value: Value, axes: readonly number[]): Value | undefined {
  const shifted = beforeCasts(value)!.producer;
  if (shifted?.operator !== "Sub") return undefined;
  const [x, maximum] = shifted.inputs.map(beforeCasts);
  const reduction = maximum?.producer;
  if (reduction?.operator !== "ReduceMax" || beforeCasts(reduction.inputs[0]) !== x) return undefined;
  const own = reducedAxes(reduction, x!.rank!);
  return own?.join() === axes.join() ? shifted.inputs[0] : undefined;
}

function beforeCasts(value: Value | undefined): Value | undefined {
  let at = value;
  while (at?.producer?.operator === "Cast" && at.producer.inputs[0]!.data) at = at.producer.inputs[0];
  return at;
}

function softmaxOf(b: Builder, { scores, axis }: Written, node: Node): Node {
  b.source = node.source;
  return b.emit("Softmax", [scores], { axis }).producer!;
}

function repaired(node: Node): Node | undefined {
  const [condition, zero, weights] = node.inputs;
  if (node.operator !== "Where" || condition?.producer?.operator !== "IsNaN") return undefined;
  if (condition.producer.inputs[0] !== weights || numberOf(zero) !== 0) return undefined;
  const softmax = weights?.producer;
  return softmax?.operator === "Softmax" ? softmax : undefined;
}

function produceBy(value: Value, like: Node): void {
  value.producer = { ...like, outputs: [value], order: value.producer!.order };
}
