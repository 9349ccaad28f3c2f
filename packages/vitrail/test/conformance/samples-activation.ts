import { data, ints, number, real, type Sample, type Samples, weight } from "./sample.js";

const values = data([2, 3]);
const positive = data([2, 3], { positive: true });
const plain = (...opsets: number[]): Sample => ({ inputs: [values], opsets });
const wide: Sample = { title: "large and small", inputs: [data([6], { values: [-4, -2, -0.5, 0.25, 2, 4] })] };

const inside = data([2, 3], { low: 0.2, high: 0.7 });

export const samples: Samples = {
  Relu: [plain(11, 17)],
  Sigmoid: [plain(11, 17), wide],
  Tanh: [plain(11, 17), wide],
  Exp: [plain(11, 17)],
  Log: [{ inputs: [positive] }],
  Sqrt: [{ inputs: [positive] }],
  Reciprocal: [plain(17)],
  Abs: [plain(17)],
  Sin: [plain(17)],
  Cos: [plain(17)],
  Tan: [{ inputs: [inside] }],
  Asin: [{ inputs: [inside] }],
  Acos: [{ inputs: [inside] }],
  Atan: [plain(11, 17)],
  Sinh: [plain(17)],
  Cosh: [plain(17)],
  Asinh: [plain(17)],
  Acosh: [{ inputs: [data([2, 3], { low: 1.5, high: 3, positive: true })] }],
  Atanh: [{ inputs: [inside] }],
  Mish: [plain(18), { ...wide, opsets: [18] }],
  // The runtime subtracts in float32.
  Shrink: [
    { inputs: [data([6], { values: [-4, -2, -0.3, 0.25, 2, 4] })], single: true },
    {
      title: "threshold and offset",
      inputs: [wide.inputs[0]],
      attributes: { lambd: real(1), bias: real(0.3) },
      single: true,
    },
  ],
  Hardmax: [{ inputs: [values], gradient: "none", opsets: [11, 17] }],
  Softplus: [plain(17), wide],
  Erf: [plain(11, 17), wide],
  HardSwish: [plain(17), wide],
  HardSigmoid: [
    plain(17),
    wide,
    { title: "slope and offset", inputs: [values], attributes: { alpha: real(0.1), beta: real(0.3) } },
  ],
  Elu: [plain(17), { title: "alpha", inputs: [values], attributes: { alpha: real(0.5) } }],
  LeakyRelu: [plain(17), { title: "alpha", inputs: [values], attributes: { alpha: real(0.2) } }],
  Celu: [plain(17), { title: "alpha", inputs: [values], attributes: { alpha: real(0.5) } }],
  Selu: [plain(17), { title: "alpha and gamma", inputs: [values], attributes: { alpha: real(0.5), gamma: real(2) } }],
  PRelu: [
    { inputs: [values, weight([3])], opsets: [11, 17] },
    { title: "a slope of data", inputs: [values, data([3])], gradient: "refused" },
  ],
  Softsign: [plain(17), wide],
  ThresholdedRelu: [plain(17), { title: "alpha", inputs: [wide.inputs[0]], attributes: { alpha: real(0.5) } }],
  Neg: [plain(17), { title: "integers", inputs: [ints([1, -2])], folds: true }],
  Gelu: [
    plain(20),
    { title: "tanh", inputs: [values], attributes: { approximate: "tanh" }, opsets: [20] },
    { ...wide, opsets: [20] },
  ],
  Swish: [
    { inputs: [values], opsets: [24] },
    { title: "alpha", inputs: [values], attributes: { alpha: real(1.702) }, opsets: [24] },
  ],
  Clip: [
    { title: "both", inputs: [values, number(-0.75), number(0.9)], opsets: [11, 13, 17] },
    { title: "low", inputs: [values, number(-0.75)] },
    { title: "high", inputs: [values, undefined, number(0.75)] },
    { title: "neither", inputs: [values] },
    { title: "integers", inputs: [ints([1, 5, 9]), ints(2), ints(7)], opsets: [13] },
  ],
  Floor: [{ inputs: [values], gradient: "none" }],
  Ceil: [{ inputs: [values], gradient: "none" }],
  Round: [
    { inputs: [values], gradient: "none" },
    { title: "halves", inputs: [number([0.5, 1.5, 2.5, -0.5])] },
  ],
  Sign: [
    { inputs: [values], gradient: "none" },
    { title: "integers", inputs: [ints([3, 0, -2])], folds: true },
  ],
};
