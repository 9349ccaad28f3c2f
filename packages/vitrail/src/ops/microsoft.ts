/**
 * Operators of onnxruntime's own domain that its optimisers put in the place of several: taken apart again, so that every
 * rule meets the steps that the model was exported with. Sources: onnxruntime, docs/ContribOperators.md.
 */
import { fail } from "../errors.js";
import { type Attributed, asFloat, flag, float, floats, text, typed } from "../ir/attribute.js";
import { dataInputs, type Node, place, type Value } from "../ir/graph.js";
import { broadcast } from "../tensor/shape.js";
import * as activation from "./activation.js";
import { timesConstant } from "./arithmetic.js";
import { type Builder, range } from "./builder.js";
import { broadcastShapes, input, like } from "./infer.js";
import * as norm from "./normalization.js";
import { type CanonicalContext, defineOp, type GradientContext, type Inferred, type Operator } from "./operator.js";
import { Conv, Gemm } from "./product.js";

/** Computes in the type of the added part and gives the results the model's own type again: float16 models, mostly. */
export function inReal(
  b: Builder,
  inputs: readonly (Value | undefined)[],
  body: (inputs: readonly (Value | undefined)[]) => readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  const type = inputs[0]!.type;
  return body(inputs.map((v) => v && b.asReal(v))).map((v) => (v?.type === b.real ? b.cast(v, type) : v));
}

// ---- activations

/** An operator with the derivative of another under given attributes. */
const activationLike = (name: string, of: Operator, attributes: Node["attributes"]) =>
  ({
    name: `com.microsoft::${name}`,
    role: "elementwise",
    infer: like(),
    gradient: (c: GradientContext) =>
      of.gradient!({ ...c, node: { ...c.node, attributes: { ...attributes, ...c.node.attributes } } }),
  }) satisfies Operator;

/** x Φ(x) */
export const Gelu = activationLike("Gelu", activation.Gelu, {});
/** x σ(αx) */
export const QuickGelu = activationLike("QuickGelu", activation.Swish, { alpha: asFloat(1.702) });

const biased = (name: string, { inputs, b }: CanonicalContext) =>
  inReal(b, inputs, (real) => [b.emit(`com.microsoft::${name}`, [b.emit("Add", real)])]);

/** The tanh approximation of GELU, of x or x + bias. */
export const FastGelu = {
  ...activationLike("FastGelu", activation.Gelu, typed({ approximate: "tanh" })),
  canonical: (c: CanonicalContext) => (c.inputs[1] ? biased("FastGelu", c) : undefined),
} satisfies Operator;

/** GELU(x + bias) */
export const BiasGelu = defineOp("com.microsoft::BiasGelu", {
  role: "elementwise",
  infer: like(),
  canonical: (c) => biased("Gelu", c),
});

// ---- products

/** alpha A' B': transposed over the last two axes, or (transBatch) with the first axis behind the batch axes. */
const fusedMatMul = (name: string) =>
  defineOp(`com.microsoft::${name}`, {
    role: "linear",
    infer: (c): Inferred => {
      const [a, w] = ["A", "B"].map((side, i) => arranged(input(c, i).shape, c.node, side));
      const lead = a && w && broadcast(a.slice(0, -2), w.slice(0, -2));
      return { type: input(c, 0).type, shape: lead && [...lead, a[a.length - 2]!, w[w.length - 1]!] };
    },
    canonical: ({ node, inputs, b }) => {
      const [a, w] = ["A", "B"].map((side, i) =>
        b.transpose(inputs[i]!, arranged(range(b.rank(inputs[i]!)), node, side)!),
      );
      const product = b.matmul(a!, w!);
      const alpha = float(node, "alpha", 1);
      const y = timesConstant(b, product, alpha);
      if (y !== product) product.emitAs = timesConstant(b, y, 1 / alpha);
      return [y];
    },
  });
export const FusedMatMul = fusedMatMul("FusedMatMul");
export const TransposeMatMul = fusedMatMul("TransposeMatMul");

/** The axes of one operand (or their extents) in the order in which it is multiplied. */
function arranged<T>(axes: readonly T[] | undefined, node: Attributed, side: string): T[] | undefined {
  if (!axes) return undefined;
  const order = [...axes];
  if (flag(node, `transBatch${side}`)) order.splice(-1, 0, ...order.splice(0, 1));
  if (flag(node, `trans${side}`) && order.length > 1) order.splice(-2, 2, ...order.slice(-2).reverse());
  return order;
}

/** Activations that are fused behind a product, with their parameters. */
function activated(b: Builder, node: Node, x: Value, alpha?: number, beta?: number): Value {
  const name = text(node, "activation", "");
  if (name === "") return x;
  if (!b.operators.has(name))
    fail("E025", node.operator, { at: place(node), why: `the activation ${name} is not covered` });
  if (name === "Clip") return b.emit("Clip", [x, b.cast(b.scalar(alpha!), x.type), b.cast(b.scalar(beta!), x.type)]);
  return b.emit(name, [x], {
    ...(alpha !== undefined && { alpha: asFloat(alpha) }),
    ...(beta !== undefined && { beta: asFloat(beta) }),
  });
}

export const FusedGemm = defineOp("com.microsoft::FusedGemm", {
  role: "linear",
  infer: Gemm.infer,
  canonical: (c) => {
    const [y] = Gemm.canonical!(c)!;
    return [activated(c.b, c.node, y!, float(c.node, "activation_alpha"), float(c.node, "activation_beta"))];
  },
});

/** activation(X * W + B + Z) */
export const FusedConv = defineOp("com.microsoft::FusedConv", {
  role: "linear",
  infer: Conv.infer,
  canonical: (c) => {
    const { b, node } = c;
    const [x, w, bias, z] = c.inputs;
    const { activation: _, activation_params: __, ...attributes } = node.attributes;
    const y = Conv.canonical!({ ...c, inputs: [x, w, bias], node: { ...node, attributes } })?.[0];
    const sum = [y ?? b.emit("Conv", [x, w], attributes), ...(z ? [z] : [])];
    const [alpha, beta] = floats(node, "activation_params") ?? [];
    return [
      activated(
        b,
        node,
        sum.reduce((p, q) => b.emit("Add", [p, q])),
        alpha,
        beta,
      ),
    ];
  },
});

// ---- residual additions with their norm

/** y = γ x / √(mean(x²) + ε), as onnxruntime wrote it before opset 23. */
export const SimplifiedLayerNormalization = {
  ...norm.RMSNormalization,
  name: "SimplifiedLayerNormalization",
} satisfies Operator;

/**
 * norm(x + skip + bias). The bias belongs to the branch that is the bare product (conventions 4.4): (branch + bias) + skip.
 * Outputs: the norm, two statistics that only training reads, the sum.
 */
const skipNorm = (name: string, normalization: string, biasAt: number) =>
  defineOp(`com.microsoft::${name}`, {
    role: "normalization",
    infer: (c): readonly Inferred[] => {
      const shape = broadcastShapes(c.node.inputs.slice(0, 2));
      return range(Math.max(1, c.outputs)).map((i) => ({
        type: input(c, 0).type,
        shape: i % 3 === 0 ? shape : undefined,
      }));
    },
    canonical: ({ node, inputs, b }) => {
      const branchIsSkip = !isBareProduct(inputs[0]!) && isBareProduct(inputs[1]!);
      return inReal(b, inputs, (real) => {
        const [branch, other] = branchIsSkip ? [real[1]!, real[0]!] : [real[0]!, real[1]!];
        const bias = real[biasAt];
        const biased = bias ? b.emit("Add", [branch, bias]) : branch;
        const sum = b.emit("Add", branchIsSkip ? [other, biased] : [biased, other]);
        const epsilon = float(node, "epsilon", 1e-5);
        const parameters = real.slice(2, biasAt);
        return [
          b.emit(normalization, [sum, ...parameters], { axis: -1, epsilon: asFloat(epsilon) }),
          undefined,
          undefined,
          sum,
        ];
      });
    },
  });
export const SkipLayerNormalization = skipNorm("SkipLayerNormalization", "LayerNormalization", 4);
export const SkipSimplifiedLayerNormalization = skipNorm(
  "SkipSimplifiedLayerNormalization",
  "SimplifiedLayerNormalization",
  3,
);

/** A product that nothing but a change of type, shape or scale has touched: its bias is still to come. */
function isBareProduct(value: Value): boolean {
  const node = value.producer;
  if (!node || dataInputs(node).length !== 1) return false;
  if (["MatMul", "Conv", "Einsum"].includes(node.operator)) return true;
  return ["Cast", "Reshape", "Transpose", "Mul"].includes(node.operator) && isBareProduct(dataInputs(node)[0]!);
}
