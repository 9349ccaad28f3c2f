/** Functions of one number. f'(x) is written with the output y where that is cheaper; `scalar` is the function itself. */
import { float, text } from "../ir/attribute.js";
import type { Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import type { Builder } from "./builder.js";
import { elementwise, like } from "./infer.js";
import { defineOp, type Operator, refuseGradient } from "./operator.js";
import { rounding } from "./ratio.js";

type Derivative = (x: Value, y: Value, b: Builder) => Value;

/** An activation: relevance passes unchanged, the gradient is f'(x) dy. */
const pointwise = (name: string, scalar: (x: number) => number, derivative: Derivative) =>
  defineOp(name, {
    role: "elementwise",
    infer: like(),
    scalar,
    gradient: ({ x: [x], y: [y], dy, b }) => [b.mul(dy, derivative(x!, y!, b))],
  });

export const Relu = pointwise(
  "Relu",
  (x) => Math.max(x, 0),
  (x, _, b) => b.where(b.greater(x, 0), b.scalar(1), b.scalar(0)),
);
export const Sigmoid = pointwise(
  "Sigmoid",
  (x) => 1 / (1 + Math.exp(-x)),
  (_, y, b) => b.mul(y, b.sub(1, y)),
);
export const Tanh = pointwise("Tanh", Math.tanh, (_, y, b) => b.sub(1, b.square(y)));
export const Exp = pointwise("Exp", Math.exp, (_, y) => y);
export const Log = pointwise("Log", Math.log, (x, _, b) => b.div(1, x));
export const Sqrt = pointwise("Sqrt", Math.sqrt, (_, y, b) => b.div(0.5, y));
export const Reciprocal = pointwise(
  "Reciprocal",
  (x) => 1 / x,
  (_, y, b) => b.neg(b.square(y)),
);
export const Abs = pointwise("Abs", Math.abs, (x, _, b) => b.signOf(x));
export const Sin = pointwise("Sin", Math.sin, (x, _, b) => b.emit("Cos", [x]));
export const Cos = pointwise("Cos", Math.cos, (x, _, b) => b.neg(b.emit("Sin", [x])));
export const Tan = pointwise("Tan", Math.tan, (_, y, b) => b.add(b.square(y), 1));
export const Asin = pointwise("Asin", Math.asin, (x, _, b) => b.div(1, b.sqrt(b.sub(1, b.square(x)))));
export const Acos = pointwise("Acos", Math.acos, (x, _, b) => b.div(-1, b.sqrt(b.sub(1, b.square(x)))));
export const Atan = pointwise("Atan", Math.atan, (x, _, b) => b.div(1, b.add(b.square(x), 1)));
export const Sinh = pointwise("Sinh", Math.sinh, (_, y, b) => b.sqrt(b.add(b.square(y), 1)));
export const Cosh = pointwise("Cosh", Math.cosh, (x, _, b) => b.emit("Sinh", [x]));
export const Asinh = pointwise("Asinh", Math.asinh, (x, _, b) => b.div(1, b.sqrt(b.add(b.square(x), 1))));
export const Acosh = pointwise("Acosh", Math.acosh, (x, _, b) => b.div(1, b.sqrt(b.sub(b.square(x), 1))));
export const Atanh = pointwise("Atanh", Math.atanh, (x, _, b) => b.div(1, b.sub(1, b.square(x))));
export const Softplus = pointwise(
  "Softplus",
  (x) => Math.log1p(Math.exp(x)),
  (x, _, b) => b.sigmoid(x),
);
/** d erf(x)/dx = 2/√π exp(-x²) */
export const Erf = pointwise("Erf", erf, (x, _, b) => b.mul(b.exp(b.neg(b.square(x))), 2 / Math.sqrt(Math.PI)));
export const HardSwish = pointwise(
  "HardSwish",
  (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  (x, _, b) => {
    const inside = b.add(b.mul(x, 1 / 3), 0.5);
    return b.where(b.greater(x, 3), b.scalar(1), b.where(b.greater(-3, x), b.scalar(0), inside));
  },
);
export const HardSigmoid = defineOp("HardSigmoid", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) => {
    const alpha = float(node, "alpha", 0.2);
    const beta = float(node, "beta", 0.5);
    const line = b.add(b.mul(x!, alpha), beta);
    const zero = b.scalar(0);
    return [b.where(b.greater(line, 0), b.where(b.greater(1, line), b.mul(dy, alpha), zero), zero)];
  },
});
export const Elu = defineOp("Elu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    const alpha = float(node, "alpha", 1);
    return [b.mul(dy, b.where(b.greater(x!, 0), b.scalar(1), b.add(y!, alpha)))];
  },
});
export const LeakyRelu = defineOp("LeakyRelu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) => {
    const alpha = float(node, "alpha", 0.01);
    return [b.mul(dy, b.where(b.greater(x!, 0), b.scalar(1), b.scalar(alpha)))];
  },
});
/** x for x > 0, α(exp(x/α) - 1) below */
export const Celu = defineOp("Celu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) => {
    const alpha = float(node, "alpha", 1);
    const below = b.exp(b.mul(b.emit("Min", [x!, b.scalar(0)]), 1 / alpha));
    return [b.mul(dy, b.where(b.greater(x!, 0), b.scalar(1), below))];
  },
});
/** γx for x > 0, γα(exp(x) - 1) below: there the slope is y + γα. */
export const Selu = defineOp("Selu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    const alpha = float(node, "alpha", 1.6732632423543772);
    const gamma = float(node, "gamma", 1.0507009873554805);
    return [b.mul(dy, b.where(b.greater(x!, 0), b.scalar(gamma), b.add(y!, alpha * gamma)))];
  },
});
/** x for x > 0, a learned slope times x below. */
export const PRelu = defineOp("PRelu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x, slope], dy, b, wants }) => {
    if (wants[1]) refuseGradient(node, "its slope depends on the input");
    return [b.mul(dy, b.where(b.greater(x!, 0), b.scalar(1), slope!))];
  },
});
export const Softsign = pointwise(
  "Softsign",
  (x) => x / (1 + Math.abs(x)),
  (x, _, b) => b.div(1, b.square(b.add(b.abs(x), 1))),
);
export const ThresholdedRelu = defineOp("ThresholdedRelu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) => {
    const alpha = float(node, "alpha", 1);
    return [b.where(b.greater(x!, alpha), dy, b.scalar(0))];
  },
});

/** x tanh(softplus(x)) (Misra 2019): with t = tanh(softplus(x)), t + x (1 - t²) σ(x). */
export const Mish = pointwise(
  "Mish",
  (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  (x, _, b) => {
    const t = b.tanh(b.emit("Softplus", [x]));
    return b.add(t, b.mul(b.mul(x, b.sub(1, b.square(t))), b.sigmoid(x)));
  },
);
/** x + bias below -λ, x - bias above λ, 0 between. */
export const Shrink = defineOp("Shrink", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) => [b.where(b.greater(b.abs(x!), float(node, "lambd", 0.5)), dy, b.scalar(0))],
});
/** 1 at the largest of an axis: flat wherever it has a slope. */
export const Hardmax = defineOp("Hardmax", { role: "opaque", infer: like() });

/** Neg is linear with weight -1: relevance passes unchanged. */
export const Neg = defineOp("Neg", {
  role: "elementwise",
  infer: elementwise((a) => (typeof a === "number" ? -a : undefined)),
  scalar: (x) => -x,
  gradient: ({ dy, b }) => [b.neg(dy)],
});

/** x Φ(x), or its tanh approximation (Hendrycks & Gimpel 2016). */
export const Gelu = defineOp("Gelu", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) =>
    text(node, "approximate") === "tanh"
      ? [b.mul(dy, geluTanhDerivative(x!, b))]
      : [b.mul(b.mul(dy, 0.5), twiceGeluDerivative(x!, b))],
  canonical: ({ inputs: [x], node, b, opset }) =>
    // Below opset 20 the operator is not in the default domain; it then only stands for a recognised region.
    opset < 20 && node.operator.includes("::") ? [b.emit("Gelu", [x!], node.attributes)] : undefined,
});

/** 2 (Φ(x) + x φ(x)) = 1 + erf(a) + a exp(ln(2/√π) - a²) with a = x/√2 */
function twiceGeluDerivative(x: Value, b: Builder): Value {
  const a = b.mul(x, Math.SQRT1_2);
  const density = b.exp(b.sub(Math.log(2 / Math.sqrt(Math.PI)), b.square(a)));
  return b.add(b.add(b.erf(a), b.mul(density, a)), 1);
}

/** With u = √(2/π)(x + 0.044715 x³), t = tanh u: (1 + t)/2 + x (1 - t²) u'/2 */
function geluTanhDerivative(x: Value, b: Builder): Value {
  const c = Math.sqrt(2 / Math.PI);
  const squared = b.square(x);
  const t = b.tanh(b.mul(x, b.add(b.mul(squared, c * 0.044715), c)));
  const slope = b.add(b.mul(squared, 3 * c * 0.044715), c);
  return b.add(b.mul(b.add(t, 1), 0.5), b.mul(b.mul(b.mul(x, slope), b.sub(1, b.square(t))), 0.5));
}

/** x σ(αx): SiLU for α = 1, QuickGELU for α = 1.702. */
export const Swish = defineOp("Swish", {
  role: "elementwise",
  infer: like(),
  gradient: ({ node, x: [x], dy, b }) => {
    const alpha = float(node, "alpha", 1);
    const gate = b.sigmoid(b.mul(x!, alpha));
    return [b.mul(dy, b.add(gate, b.mul(b.mul(b.mul(x!, alpha), gate), b.sub(1, gate))))];
  },
});

export const Clip = defineOp("Clip", {
  role: "elementwise",
  infer: like(),
  gradient: ({ x: [x, low, high], dy, b }) => {
    const zero = b.scalar(0);
    const above = low ? b.where(b.greater(low, x!), zero, dy) : dy;
    return [high ? b.where(b.greater(x!, high), zero, above) : above];
  },
  scalar: (x, low, high) => Math.min(Math.max(x, low ?? Number.NEGATIVE_INFINITY), high ?? Number.POSITIVE_INFINITY),
});

const step = (name: string, scalar: (x: number) => number, infer: Operator["infer"]) =>
  defineOp(name, { role: "opaque", infer, scalar });
export const Floor = step("Floor", Math.floor, rounding(D.floorDivide));
export const Ceil = step("Ceil", Math.ceil, rounding(D.ceilDivide));
export const Round = step("Round", Math.round, like());
export const Sign = step(
  "Sign",
  Math.sign,
  elementwise((a) => (typeof a === "number" ? Math.sign(a) : undefined)),
);

/** erf by its series near 0 and by the continued fraction of erfc far from it; good to 1e-15. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-17 * sum && n < 200; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)));
}
