/**
 * Products of integers. Their real view is a product of (q - zero point) on both sides (conventions 4.13); it takes the place
 * of the float that the integers are cast to, so that rules and gradients see an ordinary product.
 */
import { type Node, numbersOf, type Value } from "../ir/graph.js";
import type { ElementType } from "../tensor/element-type.js";
import type { Builder } from "./builder.js";
import { defineOp, type InferContext, type Inferred } from "./operator.js";
import { Conv, MatMul } from "./product.js";
import { alongAxis, type Rounded, roundedFrom, straightThrough } from "./quantization.js";

type Product = (a: Value, w: Value) => Value;

/** Integers, their zero point (in a shape that broadcasts) and, where they were rounded from data, that data. */
interface Integers {
  readonly q: Value;
  readonly zero: Value | undefined;
  readonly from: Rounded | undefined;
}

const isZero = (v: Value | undefined): boolean => !v || numbersOf(v)?.every((n) => n === 0) === true;

/** (q - zero) as reals, or (q - zero) times a scale. */
export function real(b: Builder, { q, zero }: Pick<Integers, "q" | "zero">, scale?: Value): Value {
  const seen = b.cast(q, b.real);
  const centred = isZero(zero) ? seen : b.sub(seen, b.cast(zero!, b.real));
  return scale ? b.mul(centred, b.asReal(scale)) : centred;
}

const centred = (b: Builder, v: Integers): Value =>
  v.from ? straightThrough(b, v.from.x, real(b, v), v.from.scale) : real(b, v);

/** Data on both sides (an attention that is quantised too) is multiplied in real units, so that its weights stay weights. */
function integerProduct(b: Builder, a: Integers, w: Integers, multiply: Product): Value | undefined {
  if (!a.from && !w.from) return undefined;
  if (!a.from || !w.from) return multiply(centred(b, a), centred(b, w));
  const [x, y] = [a, w].map(({ from, ...v }) => straightThrough(b, from!.x, real(b, v, from!.scale)));
  return b.div(multiply(x!, y!), b.mul(a.from.scale, w.from.scale));
}

const rowZero = (b: Builder, zero: Value | undefined, rank: number) => zero && alongAxis(b, zero, rank, -2);
const columnZero = (b: Builder, zero: Value | undefined, rank: number) => zero && alongAxis(b, zero, rank, -1);

/** (a - za)(w - zw); undefined where neither side carries data. */
export function matmulInteger(b: Builder, [a, w, za, zw]: readonly (Value | undefined)[]): Value | undefined {
  const left = { q: a!, zero: rowZero(b, za, b.rank(a!)), from: roundedFrom(b, a) };
  const right = { q: w!, zero: columnZero(b, zw, b.rank(w!)), from: roundedFrom(b, w) };
  return integerProduct(b, left, right, b.matmul);
}

export function convInteger(
  b: Builder,
  [a, w, za, zw]: readonly (Value | undefined)[],
  attributes: Node["attributes"],
): Value | undefined {
  const left = { q: a!, zero: za, from: roundedFrom(b, a) };
  const right = { q: w!, zero: zw && alongAxis(b, zw, b.rank(w!), 0), from: roundedFrom(b, w) };
  return integerProduct(b, left, right, (x, k) => b.emit("Conv", [x, k], attributes));
}

const typed = (infer: (c: InferContext) => Inferred | readonly Inferred[], type: ElementType) => (c: InferContext) =>
  ({ ...(infer(c) as Inferred), type }) satisfies Inferred;

export const MatMulInteger = defineOp("MatMulInteger", { role: "opaque", infer: typed(MatMul.infer, "int32") });
export const ConvInteger = defineOp("ConvInteger", { role: "opaque", infer: typed(Conv.infer, "int32") });

/** The real view of an integer that carries data: what a Cast to float shows. */
export function realView(b: Builder, v: Value): Value | undefined {
  const node = v.producer;
  if (node?.operator === "MatMulInteger") return matmulInteger(b, node.inputs);
  if (node?.operator === "ConvInteger") return convInteger(b, node.inputs, node.attributes);
  const from = roundedFrom(b, v);
  return from && straightThrough(b, from.x, b.cast(v, b.real), from.scale);
}
