/**
 * Norms and activations written in primitive operators, found by meaning. At an element-wise operator with two data operands
 * the walk goes back through element-wise operators, keepdims reductions and Expand; if it ends in one value of the result's
 * shape, the whole is a unit and relevance passes unchanged to that value. Residual additions and gates never match: a product
 * or a slice lies between. (Conventions 4.1, 4.2.)
 */
import { flag } from "../ir/attribute.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { dominator } from "../ir/traverse.js";
import type { Operator } from "../ops/operator.js";
import { reducedAxes } from "../ops/reduction.js";
import { sameShape } from "../tensor/shape.js";

const ELEMENTWISE = new Set([
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Pow",
  "Max",
  "Min",
  "Expand",
  "Clip",
  "Cast",
  "QuantizeStraightThrough",
]);
const REDUCTIONS = new Set(
  "ReduceMean ReduceSum ReduceL1 ReduceL2 ReduceSumSquare ReduceMax ReduceMin ReduceLogSumExp".split(" "),
);

export interface UnitFinder {
  readonly operators: ReadonlyMap<string, Operator>;
  readonly position: (node: Node) => number;
}

const isElementwise = (f: UnitFinder, node: Node): boolean =>
  ELEMENTWISE.has(node.operator) ||
  (REDUCTIONS.has(node.operator) && flag(node, "keepdims", true) && overLastAxes(node)) ||
  f.operators.get(node.operator)?.role === "elementwise";

function overLastAxes(node: Node): boolean {
  const rank = node.inputs[0]?.rank;
  const axes = rank === undefined ? undefined : reducedAxes(node, rank);
  return axes?.every((a) => a >= rank! - axes.length) ?? false;
}

/** A Transpose or Reshape that an optimiser pushed inside a unit. */
const isBijective = (node: Node): boolean => node.operator === "Transpose" || node.operator === "Reshape";

/** The value that a unit ending at `node` passes its relevance to. */
export function unitInput(f: UnitFinder, node: Node): Value | undefined {
  const operands = dataInputs(node);
  const [y] = node.outputs;
  if (operands.length < 2 || !y?.shape) return undefined;
  const straight = dominator(operands, (n) => isElementwise(f, n), f.position)?.value;
  if (straight?.shape && sameShape(straight.shape, y.shape)) return straight;
  if (!["Div", "Mul", "Sub"].includes(node.operator)) return undefined;
  const moved = dominator(operands, (n) => isElementwise(f, n) || isBijective(n), f.position)?.value;
  return moved && operands.find((v) => v.shape && sameShape(v.shape, y.shape!) && isMovedFrom(v, moved));
}

function isMovedFrom(value: Value, source: Value): boolean {
  let at: Value | undefined = value;
  while (at && at !== source) {
    const node: Node | undefined = at.producer;
    at = node && (isBijective(node) || node.operator === "Cast") ? node.inputs[0] : undefined;
  }
  return at === source;
}

const LINEAR_STEPS = new Set([
  "Transpose",
  "Reshape",
  "Slice",
  "Split",
  "Concat",
  "Gather",
  "Unsqueeze",
  "Squeeze",
  "Neg",
  "Cast",
  "Expand",
  "Flatten",
]);
const isLinearStep = (node: Node): boolean =>
  LINEAR_STEPS.has(node.operator) ||
  ((node.operator === "Mul" || node.operator === "Div") && dataInputs(node).length === 1) ||
  ((node.operator === "Add" || node.operator === "Sub") && dataInputs(node).length === 2);

/** q cos + rotate(q) sin: an addition whose operands are linear in one value of the same shape. */
export function rotaryInput(f: UnitFinder, node: Node): { value: Value; nodes: Node[] } | undefined {
  const found = dominator(dataInputs(node), isLinearStep, f.position);
  const [y] = node.outputs;
  return found?.value.shape && y?.shape && sameShape(found.value.shape, y.shape) ? found : undefined;
}
