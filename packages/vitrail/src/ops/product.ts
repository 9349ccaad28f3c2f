/** Products: data times weights (linear) or data times data (bilinear). */
import { flag, float, int } from "../ir/attribute.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { Misfit } from "../tensor/misfit.js";
import { broadcast, contradicts, type Shape, shownShape } from "../tensor/shape.js";
import { timesConstant } from "./arithmetic.js";
import { type Builder, range } from "./builder.js";
import { input } from "./infer.js";
import { defineOp, type Inferred, type Role, refuseGradient } from "./operator.js";
import { padsAttribute, spreadBack, transposedWindow, windowCount, windowOf } from "./window.js";

export const byActivity = (node: Node): Role => (dataInputs(node).length > 1 ? "bilinear" : "linear");

/** y = a b over the last two axes; leading axes broadcast. */
export const MatMul = defineOp("MatMul", {
  role: byActivity,
  infer: (c) => {
    const [a, w] = [input(c, 0), input(c, 1)];
    if (a.shape && w.shape) c.equate(a.shape[a.shape.length - 1]!, w.shape[Math.max(w.shape.length - 2, 0)]!);
    return { type: a.type, shape: a.shape && w.shape && matmulShape(a.shape, w.shape) };
  },
  gradient: ({ x: [a, w], dy, b, wants }) => {
    const [ra, rw] = [b.rank(a!), b.rank(w!)];
    if (ra === 1 || rw === 1) return vectorProductGradient(a!, w!, dy, b, wants);
    return [
      wants[0] ? b.unbroadcast(b.matmul(dy, b.transposeLast(w!)), a!) : undefined,
      wants[1] ? weightGradient(a!, w!, dy, b) : undefined,
    ];
  },
});

function matmulShape(a: Shape, w: Shape): Shape {
  const [m, n] = [a.length > 1 ? [a[a.length - 2]!] : [], w.length > 1 ? [w[w.length - 1]!] : []];
  return [...broadcast(a.slice(0, -2), w.slice(0, -2)), ...m, ...n];
}

const weightGradient = (a: Value, w: Value, dy: Value, b: Builder): Value =>
  b.unbroadcast(b.matmul(b.transposeLast(a), dy), w);

/** Vectors stand for matrices with one row or column. */
function vectorProductGradient(a: Value, w: Value, dy: Value, b: Builder, wants: readonly boolean[]) {
  const row = b.rank(a) === 1 ? b.unsqueeze(a, [0]) : a;
  const column = b.rank(w) === 1 ? b.unsqueeze(w, [1]) : w;
  let full = dy;
  if (b.rank(w) === 1) full = b.unsqueeze(full, [b.rank(full)]);
  if (b.rank(a) === 1) full = b.unsqueeze(full, [b.rank(full) - 1]);
  const da = wants[0] ? b.unbroadcast(b.matmul(full, b.transposeLast(column)), row) : undefined;
  const dw = wants[1] ? b.unbroadcast(b.matmul(b.transposeLast(row), full), column) : undefined;
  return [da && b.reshapeLike(da, a), dw && b.reshapeLike(dw, w)];
}

/** alpha A' B' + beta C, taken apart so that the product is a node of its own and the bias an addition. */
export const Gemm = defineOp("Gemm", {
  role: "linear",
  infer: (c) => {
    const side = (i: number, transposed: boolean) => {
      const s = input(c, i).shape;
      return s && (transposed ? [s[1]!, s[0]!] : s);
    };
    const a = side(0, flag(c.node, "transA"));
    const w = side(1, flag(c.node, "transB"));
    return { type: input(c, 0).type, shape: a && w && [a[0]!, w[1]!] };
  },
  canonical: ({ node, inputs: [a, w, bias], b }) => {
    [a, w].forEach((v, i) => {
      if (v!.shape && v!.rank !== 2)
        throw new Misfit(`it multiplies matrices, and its input ${i} is of shape ${shownShape(v!.shape)}`);
    });
    const left = int(node, "transA", 0) ? b.transpose(a!, [1, 0]) : a!;
    const right = int(node, "transB", 0) ? b.transpose(w!, [1, 0]) : w!;
    const beta = float(node, "beta", 1);
    const product = b.matmul(left, right);
    const scaled = timesConstant(b, product, float(node, "alpha", 1));
    if (!bias || beta === 0) return [scaled];
    return [addBias(b, scaled, timesConstant(b, bias, beta))];
  },
});

/**
 * y = product + bias; the product is then cheaper as y - bias than as a second product.
 * @throws Misfit where the bias is larger than the product
 */
export function addBias(b: Builder, product: Value, bias: Value): Value {
  const y = b.emit("Add", [product, bias]);
  if (contradicts(y.shape, product.shape))
    throw new Misfit(
      `its bias of ${shownShape(bias.shape)} does not broadcast to the product's ${shownShape(product.shape)}`,
    );
  if (product.name === undefined && !product.emitAs) product.emitAs = b.emit("Sub", [y, bias]);
  return y;
}

/** Convolution of any rank, group and dilation; the bias is an addition of its own. */
export const Conv = defineOp("Conv", {
  role: "linear",
  infer: (c): Inferred => {
    const [x, w] = [input(c, 0), input(c, 1)];
    if (!x.shape || !w.shape) return { type: x.type, shape: undefined };
    const extents = x.shape.slice(2);
    const window = windowOf(c.node, w.shape.slice(2), extents);
    return { type: x.type, shape: [x.shape[0]!, w.shape[0]!, ...extents.map((d, i) => windowCount(d, window, i))] };
  },
  canonical: ({ node, inputs: [x, w, bias], b }) => {
    if (!bias) return undefined;
    const rank = b.rank(x!);
    return [addBias(b, b.emit("Conv", [x, w], node.attributes), b.unsqueeze(bias, [0, ...range(rank).slice(2)]))];
  },
  gradient: ({ node, x: [x, w], dy, b, wants }) => {
    if (wants[1]) refuseGradient(node, "its kernel depends on the input");
    const extents = b.shape(x!).slice(2);
    return [spreadBack(b, dy, w!, windowOf(node, b.shape(w!).slice(2), extents), extents)];
  },
});

export const ConvTranspose = defineOp("ConvTranspose", {
  role: "linear",
  infer: (c): Inferred => {
    const [x, w] = [input(c, 0), input(c, 1)];
    if (!x.shape || !w.shape) return { type: x.type, shape: undefined };
    const { window, made } = transposedWindow(c.node, w.shape.slice(2), x.shape.slice(2));
    return { type: x.type, shape: [x.shape[0]!, D.multiply(w.shape[1]!, window.group), ...made] };
  },
  canonical: ({ node, inputs: [x, w, bias], b }) => {
    if (!bias) return undefined;
    const axes = [0, ...range(b.rank(x!)).slice(2)];
    return [addBias(b, b.emit("ConvTranspose", [x, w], node.attributes), b.unsqueeze(bias, axes))];
  },
  gradient: ({ node, x: [x, w], dy, b, wants }) => {
    if (wants[1]) refuseGradient(node, "its kernel depends on the input");
    const { window } = transposedWindow(node, b.shape(w!).slice(2), b.shape(x!).slice(2));
    const { strides, dilations, group } = window;
    return [b.emit("Conv", [dy, w], { strides, dilations, pads: padsAttribute(window), group })];
  },
});
