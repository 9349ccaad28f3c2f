/** The relevance pass: at every node the rule of its role in the composite, units passed as one. */

import { rotaryInput, type UnitFinder, unitInput } from "../canonicalize/unit.js";
import { fail } from "../errors.js";
import { type Layout, refuseTokens } from "../flow/layout.js";
import { type Step, vjp } from "../gradient/reverse.js";
import { dataInputs, type Node, numberOf, place, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import { roleOf } from "../ops/operator.js";
import { sameShape } from "../tensor/shape.js";
import type { Composite } from "./composites.js";
import { type Division, divide } from "./divide.js";
import type { Biased, RuleContext } from "./rules.js";
import { batchSum, sampleSum } from "./sample.js";
import type { Notes } from "./stability.js";

export interface RelevanceOptions {
  readonly composite: Composite;
  readonly layouts: ReadonlyMap<Value, Layout>;
  readonly units: UnitFinder;
  readonly division: Division;
  /** The authors' sums of the normalised addition: over the whole tensor, the samples of a batch together. */
  readonly wholeBatch?: boolean;
  /** Where divisions and additions are noted, if somebody asks how stable they are. */
  readonly notes?: Notes | undefined;
}

export function relevanceStep(b: Builder, options: RelevanceOptions): Step {
  const biased = biasedProducts(b);
  return (node, { dys, live }) => {
    const R = dys.find((d) => d !== undefined)!;
    const operands = dataInputs(node);
    if (operands.length > 1) {
      const unit = unitInput(options.units, node);
      if (unit) return [[unit, R]];
      const rotary = rotaryUnit(b, options, node, R);
      if (rotary) return rotary;
    }
    const operator = b.operators.get(node.operator);
    const rule = operator && options.composite[roleOf(operator, node)];
    if (!operator || !rule || rule === "stop")
      fail(operator ? "E022" : "E020", node.operator, {
        at: place(node),
        node: node.source,
        why: "relevance arrives there, and no rule says where it goes",
        try: 'a method without relevance rules, such as "generic-attention" or "gradient-x-input"',
      });
    const context = {
      ...ruleContext(b, options, node, dys, R, (v) => live.has(v)),
      biased: biased.get(node.outputs[0]!),
    };
    if (roleOf(operator, node) === "add")
      options.notes?.additions.push({ node, R, layout: options.layouts.get(node.outputs[0]!) });
    const parts = rule(context);
    return node.inputs.flatMap((v, i) => (context.wants[i] && parts[i] ? [[v!, parts[i]!] as const] : []));
  };
}

function ruleContext(
  b: Builder,
  options: RelevanceOptions,
  node: Node,
  Rs: readonly (Value | undefined)[],
  R: Value,
  isLive: (v: Value) => boolean,
): Omit<RuleContext, "biased"> {
  const x = node.inputs.map((v) => (v ? b.asReal(v) : (undefined as unknown as Value)));
  const y = b.asReal(node.outputs[0]!);
  const data = node.inputs.map((v) => v?.data === true);
  const wants = node.inputs.map((v, i) => data[i]! && isLive(v!));
  const layout = options.layouts.get(node.outputs[0]!);
  const sum = (v: Value) => {
    if (!layout && b.rank(v) > 1 && !options.wholeBatch)
      refuseTokens(node, "relevance is shared there sample by sample, and the samples cannot be told apart", v.shape);
    return (options.wholeBatch ? batchSum : sampleSum)(b, v, layout);
  };
  return {
    node,
    x,
    y,
    R,
    Rs,
    b,
    data,
    wants,
    vjp: (dy, at = x) => vjp(b, node, Array.isArray(dy) ? dy : [dy as Value], wants, at),
    at: (inputs) => b.emit(node.operator, inputs, node.attributes),
    sampleSum: sum,
    divide: (a, z, unit) => {
      options.notes?.divisions.push({ R: a, z, layout });
      return divide(b, options.division, a, z, { layout, unit });
    },
    scalarOf: (i) => scalarOf(node.inputs[i]!),
    fanIn: fanIn(node),
    isDense: isDense(b, node),
  };
}

/** Products of the model that a bias is added to, where the sum is one that the file computes. */
function biasedProducts(b: Builder): ReadonlyMap<Value, Biased> {
  const found = new Map<Value, Biased>();
  for (const { operator, inputs, outputs, pass } of b.nodes) {
    const [sum] = outputs;
    const product = operator === "Add" && (pass === "" || pass === "canonical") && inputs.find((v) => v?.data);
    const bias = inputs.find((v) => v !== product);
    const isKept = sum?.type === b.real && (sum.name !== undefined || sum.emitAs !== undefined);
    if (!product || !isKept || !bias || bias.dependent || !product.shape || !sum.shape) continue;
    if (sameShape(product.shape, sum.shape)) found.set(product, { sum, bias });
  }
  return found;
}

const PASSING = new Set(["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split", "Cast", "Expand"]);

/** Product of the scalar constants that a value was multiplied with since it was computed, looked up through movements. */
function scalarOf(value: Value): number {
  let factor = 1;
  for (let at: Value | undefined = value; at?.producer; ) {
    const node: Node = at.producer;
    const data: Value[] = dataInputs(node);
    if (data.length !== 1) break;
    const constant = node.inputs.find((v) => v && v !== data[0]);
    const number = constant && (numberOf(constant) ?? undefined);
    if (node.operator === "Mul" && number !== undefined) factor *= number;
    else if (node.operator === "Div" && number !== undefined && node.inputs[0] === data[0]) factor /= number;
    else if (!PASSING.has(node.operator)) break;
    [at] = data;
  }
  return factor;
}

/** Inputs that meet in one output of a linear operator. */
function fanIn(node: Node): number | undefined {
  const weight = node.inputs.find((v) => v && !v.data);
  const data = dataInputs(node)[0];
  const shape = node.operator === "MatMul" ? data?.shape?.slice(-1) : weight?.shape?.slice(1);
  const extent = node.operator === "MatMul" && data === node.inputs[1] ? data?.shape?.slice(-2, -1) : shape;
  return extent?.every((d) => typeof d === "number") ? (extent as number[]).reduce((n, d) => n * d, 1) : undefined;
}

/** Back from a layer through what only moves, scales or shifts: a norm, or values that an attention weighs. */
function isDense(b: Builder, node: Node): boolean {
  for (let at: Node | undefined = dataInputs(node)[0]?.producer; at; ) {
    const operator = b.operators.get(at.operator);
    const role = operator && roleOf(operator, at);
    if (role === "normalization" || role === "bilinear") return true;
    const data: Value[] = dataInputs(at);
    if (data.length !== 1 || (role !== "movement" && role !== "affine" && at.operator !== "Cast")) return false;
    at = data[0]!.producer;
  }
  return false;
}

/** R_x = x · Jᵀ(R / y) with the rotary steps between x and y taken as one linear map. */
function rotaryUnit(b: Builder, options: RelevanceOptions, node: Node, R: Value): [Value, Value][] | undefined {
  if (node.operator !== "Add" && node.operator !== "Sub") return undefined;
  const found = rotaryInput(options.units, node);
  if (!found) return undefined;
  const [y] = node.outputs;
  const inside = new Set(found.nodes.concat(node));
  const S = b.safeDivide(R, b.asReal(y!));
  const arrived = new Map<Value, Value[]>([[y!, [S]]]);
  for (const step of ancestors([y!], (n) => (inside.has(n) ? dataInputs(n) : [])).reverse()) {
    if (!inside.has(step)) continue;
    const dys = step.outputs.map((v) => arrived.get(v) && b.sum(arrived.get(v)!));
    if (dys.every((d) => d === undefined)) continue;
    const wants = step.inputs.map((v) => v?.data === true);
    vjp(b, step, dys, wants).forEach((part, i) => {
      if (part && wants[i]) arrived.set(step.inputs[i]!, [...(arrived.get(step.inputs[i]!) ?? []), part]);
    });
  }
  const pulled = arrived.get(found.value);
  return pulled && [[found.value, b.mul(b.asReal(found.value), b.sum(pulled))]];
}
