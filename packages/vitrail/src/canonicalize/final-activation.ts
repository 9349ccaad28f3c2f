/**
 * A softmax, log-softmax or sigmoid at the end of a file, behind whatever only moves its numbers:
 *
 *     output = move(f(scores)),   f: softmax, log softmax, sigmoid, log sigmoid
 *
 * A saturated f leaves float32 nothing but noise to pull back, so explanations start at move(scores) unless they are asked to start
 * at the output itself. f is told by what it computes: a sigmoid in elementary functions is one, a clip to (0, 1) changes nothing.
 */
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { dominator } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import { sameShape } from "../tensor/shape.js";
import { evaluate, sigmoid } from "./activation.js";

export type FinalFunction = "softmax" | "log-softmax" | "sigmoid" | "log-sigmoid";

/** A node that only moves numbers, and which of its outputs is meant. */
interface Move {
  readonly node: Node;
  readonly output: number;
}

export interface FinalActivation {
  readonly function: FinalFunction;
  /** Name of the node in the file. */
  readonly node: string;
  readonly scores: Value;
  /** What lies between f and the output, the last node first. */
  readonly moves: readonly Move[];
}

export function finalActivation(b: Builder, output: Value): FinalActivation | undefined {
  const { value, moves } = unmoved(b, output);
  const found = functionOf(b, value);
  return found && { ...found, node: value.producer!.source, moves };
}

/** move(scores), in the shape of the output. */
export function movedScores(b: Builder, { scores, moves }: FinalActivation): Value {
  b.pass = "canonical";
  return moves.toReversed().reduce((value, { node, output }) => {
    b.source = node.source;
    const { operator, inputs, attributes, outputs } = node;
    const made = b.emitAll(operator, [value, ...inputs.slice(1)], attributes, outputs.length);
    for (const [i, v] of made.entries()) v.shape = outputs[i]!.shape ?? v.shape;
    return made[output]!;
  }, scores);
}

/** What the numbers were before they were moved, and before f: outputs with the same origin say the same. */
export function originOf(b: Builder, output: Value): Value {
  const found = finalActivation(b, output);
  return found ? originOf(b, found.scores) : unmoved(b, output).value;
}

/** Whether the numbers were sorted at the end (the k highest): their places are ranks, no classes. */
export const isSorted = (b: Builder, output: Value): boolean => {
  const operator = originOf(b, output).producer?.operator;
  return operator !== undefined && b.operators.get(operator)?.sorts === true;
};

function unmoved(b: Builder, output: Value): { value: Value; moves: Move[] } {
  const moves: Move[] = [];
  let value = output;
  for (let node = value.producer; node && movesOnly(b, node); node = value.producer) {
    moves.push({ node, output: node.outputs.indexOf(value) });
    value = node.inputs[0]!;
  }
  return { value, moves };
}

const movesOnly = (b: Builder, node: Node): boolean =>
  b.operators.get(node.operator)?.verbatim === true && node.inputs[0]?.data === true && dataInputs(node).length === 1;

const EVERYWHERE = [-6, -2.5, -1, -0.3, 0, 0.2, 0.9, 2, 5];
const SHARES = [0.001, 0.02, 0.3, 0.5, 0.8, 0.97];
const softplus = (x: number): number => Math.log1p(Math.exp(x));

/** f, and its scores: the nearest value that the result is a known function of. */
function functionOf(b: Builder, result: Value): Pick<FinalActivation, "function" | "scores"> | undefined {
  let value = result;
  for (;;) {
    const node = value.producer;
    if (!node) return undefined;
    const shares = b.operators.get(node.operator)?.shares;
    if (shares) {
      const scores = node.inputs[0]!;
      if (is(b, result, value, SHARES, (p) => p)) return { function: shares, scores };
      const log = shares === "softmax" && is(b, result, value, SHARES, Math.log);
      return log ? { function: "log-softmax", scores } : undefined;
    }
    const next = before(b, node);
    if (!next?.shape || !result.shape || !sameShape(next.shape, result.shape)) return undefined;
    value = next;
    if (is(b, result, value, EVERYWHERE, sigmoid)) return { function: "sigmoid", scores: value };
    if (is(b, result, value, EVERYWHERE, (x) => -softplus(-x))) return { function: "log-sigmoid", scores: value };
  }
}

/** The one value that a node, and what leads to it element by element, computes from. */
function before(b: Builder, node: Node): Value | undefined {
  const elementary = (n: Node) => b.operators.get(n.operator)?.scalar !== undefined || isCast(b, n);
  const operands = dataInputs(node);
  if (!elementary(node) || operands.length === 0) return undefined;
  return dominator(operands, elementary, (n) => n.order)?.value;
}

const isCast = (b: Builder, node: Node): boolean =>
  b.operators.get(node.operator)?.verbatim === true && node.inputs.length === 1 && node.inputs[0]!.data;

/** Whether `result` is f of `value`, element by element. */
function is(b: Builder, result: Value, value: Value, points: readonly number[], f: (x: number) => number): boolean {
  return points.every((x) => {
    const y = evaluate(b, result, value, x);
    return y !== undefined && Math.abs(y - f(x)) <= 1e-5 * (1 + Math.abs(f(x)));
  });
}
