import { flag } from "../ir/attribute.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { isFloat } from "../tensor/element-type.js";
import type { Builder } from "./builder.js";
import { elementwise, input } from "./infer.js";
import { defineOp, type InferContext, notCovered, type Role, refuseGradient } from "./operator.js";
import { product, quotient, sized, sum } from "./ratio.js";

/** Integers divide towards zero; a symbolic dividend whose sign is not known counts as positive. */
export const truncatedDivide = (a: D.Dim, c: D.Dim): D.Dim =>
  typeof a === "number" && typeof c === "number"
    ? Math.trunc(a / c) + 0
    : D.least(D.negate(a)) >= 0
      ? D.negate(D.floorDivide(D.negate(a), c))
      : D.floorDivide(a, c);

/** Two data operands make an addition or a gate; one makes an affine map. */
const byActivity =
  (both: Role) =>
  (node: Node): Role =>
    dataInputs(node).length > 1 ? both : "affine";

export const Add = defineOp("Add", {
  role: byActivity("add"),
  infer: sized(D.add, sum),
  scalar: (a, c) => a + c,
  gradient: ({ x, dy, b, wants }) => x.map((v, i) => (wants[i] ? b.unbroadcast(dy, v) : undefined)),
});

export const Sub = defineOp("Sub", {
  role: byActivity("add"),
  infer: elementwise(D.subtract),
  scalar: (a, c) => a - c,
  gradient: ({ x, dy, b, wants }) => [
    wants[0] ? b.unbroadcast(dy, x[0]!) : undefined,
    wants[1] ? b.neg(b.unbroadcast(dy, x[1]!)) : undefined,
  ],
});

export const Mul = defineOp("Mul", {
  role: byActivity("gate"),
  infer: sized(D.multiply, product),
  scalar: (a, c) => a * c,
  gradient: ({ x, dy, b, wants }) => [
    wants[0] ? b.unbroadcast(b.mul(dy, x[1]!), x[0]!) : undefined,
    wants[1] ? b.unbroadcast(b.mul(dy, x[0]!), x[1]!) : undefined,
  ],
});

export const Div = defineOp("Div", {
  role: byActivity("gate"),
  infer: sized((a, c) => (c === 0 ? undefined : truncatedDivide(a, c)), quotient),
  scalar: (a, c) => a / c,
  gradient: ({ x: [n, d], y: [q], dy, b, wants }) => [
    wants[0] ? b.unbroadcast(b.div(dy, d!), n!) : undefined,
    wants[1] ? b.unbroadcast(b.neg(b.div(b.mul(dy, q!), d!)), d!) : undefined,
  ],
});

/** Up to the squares and cubes of sizes. */
const power = (a: D.Dim, c: number): D.Dim | undefined =>
  Number.isInteger(c) && c <= 3 ? D.product(new Array<D.Dim>(c).fill(a)) : undefined;

export const Pow = defineOp("Pow", {
  role: byActivity("opaque"),
  infer: elementwise((a, c) =>
    typeof c !== "number" || c < 0 ? undefined : typeof a === "number" ? a ** c : power(a, c),
  ),
  scalar: (a, c) => a ** c,
  gradient: ({ node, x: [base, exponent], dy, b, wants }) => {
    if (wants[1]) refuseGradient(node, "its exponent depends on the input");
    const power = isFloat(exponent!.type) ? exponent! : b.cast(exponent!, b.real);
    return [b.unbroadcast(b.mul(dy, b.mul(power, b.emit("Pow", [base!, b.sub(power, 1)]))), base!), undefined];
  },
});

const known =
  (f: (...x: number[]) => number) =>
  (...entries: D.Dim[]): D.Dim | undefined =>
    entries.every((e) => typeof e === "number") ? f(...(entries as number[])) : undefined;

export const Mod = defineOp("Mod", {
  role: "opaque",
  infer: (context) =>
    elementwise((a, c) =>
      typeof a === "number" && typeof c === "number"
        ? (flag(context.node, "fmod") ? a % c : ((a % c) + c) % c) + 0
        : D.least(c) >= 0 && (!flag(context.node, "fmod") || D.least(a) >= 0)
          ? D.modulo(a, c)
          : undefined,
    )(context),
  gradient: notCovered,
});

/** They pass the cotangent where they let the value through: as clips of data, and element by element between several values. */
const extremum = (name: "Max" | "Min", f: (...x: number[]) => number, fold: (a: D.Dim, c: D.Dim) => D.Dim) =>
  defineOp(name, {
    role: (node) => (dataInputs(node).length > 1 ? "movement" : "elementwise"),
    infer: (c: InferContext) =>
      elementwise(isFloat(input(c, 0).type) ? (...e) => known(f)(...e) : (...e) => e.reduce(fold))(c),
    scalar: f,
    gradient: ({ x, y: [y], dy, b, wants }) =>
      x.map((v, i) => (wants[i] ? b.unbroadcast(b.where(b.emit("Equal", [v, y!]), dy, b.scalar(0)), v) : undefined)),
  });
export const Max = extremum("Max", Math.max, D.maximum);
export const Min = extremum("Min", Math.min, D.minimum);

export const Sum = defineOp("Sum", {
  role: byActivity("add"),
  infer: elementwise(),
  canonical: ({ inputs, b }) => [b.sum(inputs.map((v) => v!))],
});

export const Mean = defineOp("Mean", {
  role: byActivity("add"),
  infer: elementwise(),
  canonical: ({ inputs, b }) => [timesConstant(b, b.sum(inputs.map((v) => v!)), 1 / inputs.length)],
});

/** Times a scalar of the value's own type. */
export function timesConstant(b: Builder, x: Value, by: number): Value {
  if (by === 1) return x;
  return b.emit("Mul", [x, b.cast(b.scalar(by), x.type)]);
}

export const Equal = compare("Equal", (a, c) => (D.equal(a, c) ? 1 : apart(a, c) ? 0 : undefined));
export const Less = compare("Less", (a, c) => below(a, c));
export const LessOrEqual = compare("LessOrEqual", (a, c) => not(below(c, a)));
export const Greater = compare("Greater", (a, c) => below(c, a));
export const GreaterOrEqual = compare("GreaterOrEqual", (a, c) => not(below(a, c)));
export const And = compare(
  "And",
  known((a, c) => a & c),
);
export const Or = compare(
  "Or",
  known((a, c) => a | c),
);
export const Xor = compare(
  "Xor",
  known((a, c) => a ^ c),
);

function compare(name: string, fold: (a: D.Dim, c: D.Dim) => D.Dim | undefined) {
  return defineOp(name, { role: "opaque", infer: elementwise(fold, "bool") });
}

/** a < c, where the difference has a sign for all values of the symbols. */
function below(a: D.Dim, c: D.Dim): number | undefined {
  if (D.least(D.subtract(c, a)) >= 1) return 1;
  return D.least(D.subtract(a, c)) >= 0 ? 0 : undefined;
}
const not = (bit: D.Dim | undefined): number | undefined => (typeof bit === "number" ? 1 - bit : undefined);

/** Provably different: dimensions are positive, so a positive polynomial is no non-positive number. */
const apart = (a: D.Dim, c: D.Dim): boolean =>
  (typeof a === "number" && typeof c === "number") ||
  (typeof c === "number" && c <= 0 && D.isPositive(a)) ||
  (typeof a === "number" && a <= 0 && D.isPositive(c));

export const Not = defineOp("Not", {
  role: "opaque",
  infer: elementwise(not, "bool"),
});
export const IsNaN = defineOp("IsNaN", { role: "opaque", infer: elementwise(undefined, "bool") });
export const IsInf = defineOp("IsInf", { role: "opaque", infer: elementwise(undefined, "bool") });
export const BitShift = defineOp("BitShift", { role: "opaque", infer: elementwise() });
const bitwise = (name: string, f: (...x: number[]) => number) =>
  defineOp(name, { role: "opaque", infer: elementwise(known(f)) });
export const BitwiseAnd = bitwise("BitwiseAnd", (a, c) => a & c);
export const BitwiseOr = bitwise("BitwiseOr", (a, c) => a | c);
export const BitwiseXor = bitwise("BitwiseXor", (a, c) => a ^ c);
export const BitwiseNot = defineOp("BitwiseNot", { role: "opaque", infer: elementwise() });
