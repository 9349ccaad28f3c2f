/**
 * The reverse-mode driver. It pulls a seed from one output back to wanted values along data paths, and names no operator:
 * what happens at a node is the step's business (a gradient rule, a relevance rule).
 */
import { fail } from "../errors.js";
import { dataInputs, type Node, place, type Value } from "../ir/graph.js";
import { ancestors, livePaths } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import type { Operator } from "../ops/operator.js";

export interface Cotangents {
  /** One per output of the node; undefined where nothing arrived. */
  readonly dys: readonly (Value | undefined)[];
  /** Values that lie on a path to something wanted: the others need no contribution. */
  readonly live: ReadonlySet<Value>;
}

/** What flows from a node to values further up; usually its own inputs. */
export type Step = (node: Node, cotangents: Cotangents) => readonly (readonly [Value, Value])[];

export interface ReversePass {
  readonly name: string;
  readonly output: Value;
  readonly seed: Value;
  readonly wanted: ReadonlySet<Value>;
  readonly step: Step;
}

/** Cotangents of the wanted values; zero where no path leads from the output to one of them. */
export function pullBack(b: Builder, pass: ReversePass): Map<Value, Value> {
  const live = livePaths(pass.output, pass.wanted);
  const arrived = new Map<Value, Value[]>([[pass.output, [pass.seed]]]);
  const result = new Map<Value, Value>();
  const outer = { pass: b.pass, source: b.source };
  b.pass = pass.name;
  const collect = (v: Value): Value | undefined => {
    const parts = arrived.get(v);
    if (!parts) return undefined;
    arrived.delete(v);
    const total = b.sum(parts);
    if (pass.wanted.has(v)) result.set(v, total);
    return total;
  };
  for (const node of ancestors([pass.output], dataInputs).reverse()) {
    if (!node.outputs.some((v) => arrived.has(v))) continue;
    b.source = node.source;
    const dys = node.outputs.map(collect);
    if (!dataInputs(node).some((v) => live.has(v))) continue;
    for (const [value, part] of pass.step(node, { dys, live })) {
      const parts = arrived.get(value);
      if (parts) parts.push(part);
      else arrived.set(value, [part]);
    }
  }
  for (const v of pass.wanted) {
    collect(v);
    if (!result.has(v)) result.set(v, b.zerosLike(v));
  }
  b.pass = outer.pass;
  b.source = outer.source;
  return result;
}

/** Pulls cotangents through one node with its operator's gradient rule; `inputs` replaces the inputs it is evaluated at. */
export function vjp(
  b: Builder,
  node: Node,
  dys: readonly (Value | undefined)[],
  wants: readonly boolean[],
  inputs: readonly (Value | undefined)[] = node.inputs,
): readonly (Value | undefined)[] {
  const operator: Operator | undefined = b.operators.get(node.operator);
  if (!operator)
    fail("E020", node.operator, {
      at: place(node),
      node: node.source,
      why: "the target depends on it, and nothing is known of it",
    });
  if (!operator.gradient)
    fail("E021", node.operator, {
      at: place(node),
      node: node.source,
      why: "the target depends on it, and it is not differentiable",
      try: "explain an output before it, or a method that needs only the forward pass",
    });
  const real = (v: Value | undefined) => (v ? b.asReal(v) : (undefined as unknown as Value));
  return operator.gradient({
    node,
    x: inputs.map(real),
    y: node.outputs.map(real),
    dy: dys.find((d) => d !== undefined)!,
    dys,
    b,
    wants,
  });
}

/** Plain reverse-mode differentiation. */
export const gradientStep =
  (b: Builder): Step =>
  (node, { dys, live }) => {
    const wants = node.inputs.map((v) => v?.data === true && live.has(v));
    const pulled = vjp(b, node, dys, wants);
    return node.inputs.flatMap((v, i) => (wants[i] && pulled[i] ? [[v!, pulled[i]!] as const] : []));
  };
