/**
 * Activations written in primitive operators become one operator, found by meaning: a region of element-wise operators between one
 * value and a product is evaluated at a few points and compared with the functions that are known. Its derivative then reads the
 * region's ends only (a reader inside keeps a runtime from fusing it) and does not depend on what arrives from above. The operator
 * may be newer than the file's operator set: it is differentiated, never written.
 */
import { type Attributes, asFloat, typed } from "../ir/attribute.js";
import { dataInputs, type Node, numberOf, type Value } from "../ir/graph.js";
import { dominator } from "../ir/traverse.js";
import { erf } from "../ops/activation.js";
import type { Builder } from "../ops/builder.js";
import { sameShape } from "../tensor/shape.js";

interface Activation {
  readonly operator: string;
  readonly attributes: Attributes;
  readonly f: (x: number) => number;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const KNOWN: readonly Activation[] = [
  { operator: "Gelu", attributes: {}, f: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2 },
  {
    operator: "Gelu",
    attributes: typed({ approximate: "tanh" }),
    f: (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2,
  },
  { operator: "Swish", attributes: {}, f: (x) => x * sigmoid(x) },
  { operator: "Swish", attributes: { alpha: asFloat(1.702) }, f: (x) => x * sigmoid(1.702 * x) },
];
const POINTS = [-6, -2.5, -1, -0.3, 0, 0.2, 0.9, 2, 5];

/** Among what the file itself computes, or among given nodes. What has no name in the file is still written as the product it was. */
export function recogniseActivations(b: Builder, nodes: readonly Node[] = visible(b)): void {
  for (const node of nodes) {
    const [y] = node.outputs;
    if (node.operator !== "Mul" || !y?.data || !y.shape) continue;
    const source = sourceOf(b, node);
    if (!source?.shape || !sameShape(source.shape, y.shape)) continue;
    const values = POINTS.map((x) => evaluate(b, y, source, x));
    const found = KNOWN.find(({ f }) =>
      values.every((v, i) => v !== undefined && Math.abs(v - f(POINTS[i]!)) <= 1e-5 * (1 + Math.abs(POINTS[i]!))),
    );
    if (!found) continue;
    if (y.name === undefined) [y.writtenAs] = b.node(node.operator, node.inputs, node.attributes, 1);
    y.producer = { ...node, operator: found.operator, inputs: [source], attributes: found.attributes };
  }
}

const visible = (b: Builder): Node[] => b.nodes.filter(({ outputs: [y] }) => y?.name !== undefined);

/** The one value that a product is computed from, element by element; a constant factor may follow the product. */
function sourceOf(b: Builder, node: Node): Value | undefined {
  const operands = dataInputs(node);
  const inner = operands.length === 1 ? operands[0]!.producer : node;
  if (inner?.operator !== "Mul" || dataInputs(inner).length !== 2) return undefined;
  return dominator(
    dataInputs(inner),
    (n) => b.operators.get(n.operator)?.scalar !== undefined,
    (n) => n.order,
  )?.value;
}

/** What `v` is where `source` is `x`; undefined where something else than numbers and functions of numbers has a part. */
export function evaluate(b: Builder, v: Value, source: Value, x: number): number | undefined {
  const known = new Map<Value, number | undefined>([[source, x]]);
  const at = (value: Value): number | undefined => {
    if (!known.has(value)) known.set(value, computed(value));
    return known.get(value);
  };
  const computed = (value: Value): number | undefined => {
    const { producer } = value;
    if (!producer) return numberOf(value);
    if (value.number !== undefined) return value.number;
    const entry = b.operators.get(producer.operator);
    // A cast between floating-point types.
    if (entry?.verbatim && producer.inputs.length === 1) return at(producer.inputs[0]!);
    const f = entry?.scalar;
    const inputs = f && producer.inputs.map((input) => input && at(input));
    return inputs?.every((i) => i !== undefined) ? f!(...inputs) : undefined;
  };
  return at(v);
}
