/**
 * Operators on quantised tensors that carry their own scales: products that give floats again (onnxruntime's fusions), and
 * the QLinear operators, which compute with the real values and round the result once more.
 */
import { float, int } from "../ir/attribute.js";
import type { Node, Value } from "../ir/graph.js";
import { type Builder, range } from "./builder.js";
import { broadcastShapes, input, like } from "./infer.js";
import { convInteger, matmulInteger, real } from "./integer-product.js";
import { type CanonicalContext, defineOp, type InferContext, type Inferred, type Operator } from "./operator.js";
import { Concat } from "./part.js";
import { addBias, Conv, Gemm, MatMul } from "./product.js";
import { alongAxis, markPicked, roundedFrom, rounders, straightThrough } from "./quantization.js";
import { GlobalAveragePool } from "./reduction.js";

type Inputs = readonly (Value | undefined)[];

/** product · scale + bias; the product is then cheaper as (y - bias) / scale. */
function rescaled(b: Builder, product: Value, scale: Value, bias: Value | undefined): Value {
  const y = b.mul(product, scale);
  if (y !== product) product.emitAs = b.div(y, scale);
  return bias ? addBias(b, y, b.asReal(bias)) : y;
}

function integerToFloat(b: Builder, [a, w, aScale, wScale, za, zw, bias]: Inputs): Value | undefined {
  const product = matmulInteger(b, [a, w, za, zw]);
  return product && rescaled(b, product, b.mul(b.asReal(aScale!), b.asReal(wScale!)), bias);
}

/** (a - za)(w - zw) · scales + bias */
export const MatMulIntegerToFloat = defineOp("com.microsoft::MatMulIntegerToFloat", {
  role: "opaque",
  infer: (c) => ({ ...(MatMul.infer(c) as Inferred), type: input(c, 2).type }),
  canonical: ({ inputs, b }) => {
    const y = integerToFloat(b, inputs);
    return y && [b.cast(y, inputs[2]!.type)];
  },
});

/** The same with a that the operator quantises itself. */
export const DynamicQuantizeMatMul = defineOp("com.microsoft::DynamicQuantizeMatMul", {
  role: "linear",
  infer: MatMul.infer,
  canonical: ({ inputs: [x, w, wScale, zw, bias], b }) => {
    const [q, scale, zero] = b.emitAll("DynamicQuantizeLinear", [x], {}, 3);
    const y = integerToFloat(b, [q, w, scale, wScale, zero, zw, bias]);
    return y && [y];
  },
});

/** Integers with their scale and zero point as reals: the data that was rounded, an embedding, or a constant. */
function dequantized(b: Builder, [q, scale, zero]: Inputs): Value {
  const value = real(b, { q: q!, zero }, scale);
  const from = roundedFrom(b, q);
  return from ? straightThrough(b, from.x, value) : markPicked(value, q!);
}

// ---- QLinear operators: what they compute before they round

/** Where an operator finds its operands (each followed by scale and zero point) and the scale of its result. */
interface Rounding {
  readonly operands: readonly number[];
  readonly result: number;
}

const shapeOf = (c: InferContext, operands: readonly (Value | undefined)[], infer: (c: InferContext) => unknown) =>
  (infer({ ...c, node: { ...c.node, inputs: operands } }) as Inferred).shape;

/** An operator whose result is `compute` of its real operands, rounded. `shape` is that of the real operator. */
function rounding(
  name: string,
  at: Rounding,
  shape: (c: InferContext) => unknown,
  compute: (b: Builder, node: Node) => Value | undefined,
) {
  rounders.set(name, (b, node) => {
    const x = compute(b, node);
    return x && { x, scale: node.inputs[at.result]! };
  });
  return defineOp(name, {
    role: "opaque",
    infer: (c): Inferred => ({
      type: c.node.inputs[at.result + 1]?.type ?? "uint8",
      shape: shapeOf(
        c,
        at.operands.map((i) => c.node.inputs[i]),
        shape,
      ),
    }),
  });
}

const operand = (b: Builder, node: Node, at: number): Value => dequantized(b, node.inputs.slice(at, at + 3));

/** An element-wise or pooling operator of one or two operands. */
const simple = (name: string, operator: string, count: number, shape: (c: InferContext) => unknown) => {
  const operands = range(count).map((i) => 3 * i);
  return rounding(`com.microsoft::QLinear${name}`, { operands, result: 3 * count }, shape, (b, node) => {
    if (int(node, "channels_last", 0) === 1) return undefined;
    const { opset: _, channels_last: __, ...attributes } = node.attributes;
    return b.emit(
      operator,
      operands.map((at) => operand(b, node, at)),
      attributes,
    );
  });
};
const broadcasting = (c: InferContext): Inferred => ({ type: "float32", shape: broadcastShapes(c.node.inputs) });

export const QLinearAdd = simple("Add", "Add", 2, broadcasting);
export const QLinearMul = simple("Mul", "Mul", 2, broadcasting);
export const QLinearSigmoid = simple("Sigmoid", "Sigmoid", 1, like());
export const QLinearLeakyRelu = simple("LeakyRelu", "LeakyRelu", 1, like());
export const QLinearSoftmax = simple("Softmax", "Softmax", 1, like());
export const QLinearGlobalAveragePool = simple("GlobalAveragePool", "GlobalAveragePool", 1, GlobalAveragePool.infer);

export const QLinearMatMul = rounding("QLinearMatMul", { operands: [0, 3], result: 6 }, MatMul.infer, (b, node) => {
  const [a, aScale, za, w, wScale, zw] = node.inputs;
  return integerToFloat(b, [a, w, aScale && alongAxis(b, aScale, b.rank(a!), -2), wScale, za, zw]);
});

/** The bias has the scale of the products. */
export const QLinearConv = rounding("QLinearConv", { operands: [0, 3], result: 6 }, Conv.infer, (b, node) => {
  const [x, xScale, zx, w, wScale, zw, , , bias] = node.inputs;
  const product = convInteger(b, [x, w, zx, zw], node.attributes);
  if (!product) return undefined;
  const perChannel = (v: Value) => alongAxis(b, v, b.rank(x!), 1);
  const scale = b.mul(b.asReal(xScale!), perChannel(b.asReal(wScale!)));
  const y = b.mul(product, scale);
  return bias ? b.add(y, b.mul(perChannel(b.cast(bias, b.real)), scale)) : y;
});

/** alpha (A - za)(B - zb) · scales + C, with C in the scale of the products. Without a result scale the result is real. */
function gemm(b: Builder, node: Node): Value | undefined {
  const [a, aScale, za, w, wScale, zw, bias] = node.inputs;
  const alpha = float(node, "alpha", 1);
  const turned = (v: Value, name: string) => (int(node, name, 0) === 1 ? b.transpose(v, [1, 0]) : v);
  const product = matmulInteger(b, [turned(a!, "transA"), turned(w!, "transB"), za, zw]);
  if (!product) return undefined;
  const scale = b.mul(b.mul(b.asReal(aScale!), b.asReal(wScale!)), alpha);
  return rescaled(b, product, scale, bias && b.mul(b.cast(bias, b.real), scale));
}
const rounded = rounding("com.microsoft::QGemm", { operands: [0, 3], result: 7 }, Gemm.infer, gemm);
export const QGemm = {
  ...rounded,
  infer: (c: InferContext) => ({
    ...(rounded.infer(c) as Inferred),
    ...(!c.node.inputs[7] && { type: input(c, 1).type }),
  }),
  canonical: ({ node, inputs, b }: CanonicalContext) => {
    const y = inputs[7] ? undefined : gemm(b, node as Node);
    return y && [b.cast(y, inputs[1]!.type)];
  },
} satisfies Operator;

/** (result scale, result zero point, then each operand with its own) */
const parts = (inputs: Inputs): number[] => range((inputs.length - 2) / 3).map((i) => 2 + 3 * i);
rounders.set("com.microsoft::QLinearConcat", (b, node) => ({
  x: b.emit(
    "Concat",
    parts(node.inputs).map((at) => operand(b, node, at)),
    node.attributes,
  ),
  scale: node.inputs[0]!,
}));
export const QLinearConcat = defineOp("com.microsoft::QLinearConcat", {
  role: "opaque",
  infer: (c): Inferred => ({
    type: input(c, 1).type,
    shape: shapeOf(
      c,
      parts(c.node.inputs).map((i) => c.node.inputs[i]),
      Concat.infer,
    ),
  }),
});

/** (condition, operand, operand, result scale) */
export const QLinearWhere = rounding(
  "com.microsoft::QLinearWhere",
  { operands: [0, 1, 4], result: 7 },
  broadcasting,
  (b, node) => b.emit("Where", [node.inputs[0], operand(b, node, 1), operand(b, node, 4)]),
);
