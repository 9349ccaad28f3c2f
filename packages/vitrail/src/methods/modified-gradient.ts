/**
 * x ⊙ g, where g is pulled back like a gradient but with some steps replaced, so that R = x ⊙ g is a relevance. In every theory here
 * the deviation of a norm is a constant, an activation is its input times a constant gate (g y/x), and a product of two data
 * values hands half to each. What else differs is in `Theory`. (Achtibat et al. 2024; Mehri et al. 2025.)
 */
import type { Analysis } from "../analysis.js";
import { findSites } from "../canonicalize/attention-site.js";
import { rotaryInput, unitInput } from "../canonicalize/unit.js";
import { pullBack, type Step, vjp } from "../gradient/reverse.js";
import { dataInputs, type Node, numberOf, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { roleOf } from "../ops/operator.js";
import { type Pull, type PullContext, unchanged } from "./gradient-rules.js";
import { timesInput } from "./gradient-x-input.js";
import type { Explained, MethodContext } from "./method.js";

export interface Theory {
  /** The attention weights are constants: all relevance goes through the values. */
  readonly constantAttention: boolean;
  readonly linear?: Pull;
  /** Additions of data to data, residual ones above all. */
  readonly add?: Pull;
}

/** x ⊙ g at the pixels, or at the token embeddings summed over the hidden axis. */
export function modifiedGradientTimesInput(
  c: Pick<MethodContext, "b" | "analysis" | "seed">,
  theory: Theory,
): Explained {
  const { b, analysis, seed } = c;
  const { source, output } = analysis;
  const step = modifiedStep(b, analysis, theory);
  const found = pullBack(b, { name: "relevance", output, seed, wanted: new Set([source.point]), step });
  return timesInput(b, analysis, found.get(source.point)!);
}

export function modifiedStep(b: Builder, { output, units }: Analysis, theory: Theory): Step {
  const sites = findSites(output);
  const weighing = new Map(sites.map((s) => [s.product, s.weights]));

  const pull = (c: PullContext): readonly (Value | undefined)[] => {
    const { node, wants } = c;
    const operands = dataInputs(node);
    const both = wants.filter(Boolean).length > 1;
    if (operands.length > 1 && (node.operator === "Mul" || node.operator === "Div")) {
      const deviation = operands.find(isDeviation);
      if (deviation) return c.without(deviation);
      if (unitInput(units, node)) return c.plain();
      if (node.operator === "Div") return c.without(node.inputs[1]!);
      return both ? halved(c) : c.plain();
    }
    const role = roleOf(b.operators.get(node.operator)!, node);
    if (role === "linear") return (theory.linear ?? unchanged)(c);
    if (role === "normalization") return c.constantDeviation();
    if (role === "elementwise") return gated(c);
    if (role === "bilinear") {
      const weights = weighing.get(node);
      if (weights && theory.constantAttention) return c.without(weights);
      return both ? halved(c) : c.plain();
    }
    if (role === "add" && theory.add && !unitInput(units, node) && !rotaryInput(units, node)) return theory.add(c);
    return c.plain();
  };

  return (node, { dys, live }) => {
    const unit = activationInput(units, node);
    const dy = dys.find((d) => d !== undefined)!;
    if (unit) return [[unit, gate(b, dy, unit, node.outputs[0]!)]];
    const wants = node.inputs.map((v) => v?.data === true && live.has(v));
    const x = node.inputs.map((v) => (v ? b.asReal(v) : (undefined as unknown as Value)));
    const plain = (given: PullContext["dys"] = dys, at: readonly Value[] = x, asked = wants) =>
      vjp(b, node, given, asked, at);
    const without = (constant: Value) =>
      plain(
        dys,
        x,
        wants.map((want, i) => want && node.inputs[i] !== constant),
      );
    const y = b.asReal(node.outputs[0]!);
    const at = (inputs: readonly Value[]) => b.emit(node.operator, inputs, node.attributes);
    const constantDeviation = () =>
      b.operators.get(node.operator)!.constantDeviation!({ b, node, x, y: [y], dy, dys, wants });
    const pulled = pull({ b, node, x, y, dy, dys, wants, plain, without, constantDeviation, at });
    return node.inputs.flatMap((v, i) => (wants[i] && pulled[i] ? [[v!, pulled[i]!] as const] : []));
  };
}

/** Where an activation in several operators ends, x in y = x · gate(x): operands of one shape, made from x alone, no norm. */
function activationInput(units: Analysis["units"], node: Node): Value | undefined {
  const operands = dataInputs(node);
  const [y] = node.outputs;
  if (operands.length < 2 || operands.some((v) => isDeviation(v) || !sameExtents(v, y!))) return undefined;
  if (node.operator !== "Mul" && node.operator !== "Div") return undefined;
  return unitInput(units, node);
}

const sameExtents = (a: Value, c: Value): boolean => String(a.shape) === String(c.shape) && a.shape !== undefined;

/** A root (or what was computed from one root alone): the scale of a norm. */
function isDeviation(value: Value): boolean {
  for (let at: Value | undefined = value; at?.producer; ) {
    const node: Node = at.producer;
    if (node.operator === "Sqrt" || node.operator === "ReduceL2" || isRootPower(node)) return true;
    const data: Value[] = dataInputs(node);
    if (data.length !== 1 || ["MatMul", "Conv", "Softmax"].includes(node.operator)) return false;
    [at] = data;
  }
  return false;
}

const isRootPower = (node: Node): boolean =>
  node.operator === "Pow" && Math.abs((node.inputs[1] && numberOf(node.inputs[1])) ?? 1) === 0.5;

const halved = (c: PullContext) => c.plain().map((g) => g && c.b.mul(g, 0.5));

/** g y / x */
const gate = (b: Builder, dy: Value, x: Value, y: Value): Value =>
  b.mul(dy, b.div(b.asReal(y), b.add(b.asReal(x), 1e-10)));

const gated = (c: PullContext): readonly (Value | undefined)[] => {
  if (dataInputs(c.node).length > 1 || !c.wants[0]) return c.plain();
  return [gate(c.b, c.dy, c.x[0]!, c.y)];
};
