import { tensorOf } from "../../src/tensor/tensor.js";
import { constant, data, fed, ints, number, type Samples } from "./sample.js";

export const samples: Samples = {
  Shape: [
    { inputs: [data([2, 3, 4])], folds: true, opsets: [11, 15, 17, 21] },
    { title: "a part", inputs: [data([2, 3, 4])], attributes: { start: 1, end: -1 }, folds: true },
    { title: "from the end", inputs: [data([2, 3, 4])], attributes: { start: -2 }, folds: true },
    { title: "beyond the end", inputs: [data([2, 3, 4])], attributes: { start: 1, end: 9 }, folds: true },
    { title: "a scalar", inputs: [data([])], folds: true },
  ],
  Size: [{ inputs: [data([2, 3, 4])], folds: true }],
  Cast: [
    { title: "to float32", inputs: [data([2, 3])], attributes: { to: 1 }, tolerance: 3e-3, opsets: [11, 13, 21] },
    { title: "to integers", inputs: [data([2, 3])], attributes: { to: 7 }, gradient: "none" },
    { title: "integers to floats", inputs: [fed("int64", [1, 2, 3])], attributes: { to: 1 } },
    { title: "to booleans", inputs: [fed("int64", [0, 2, -1])], attributes: { to: 9 } },
    { title: "known integers to booleans", inputs: [ints([0, 2, -1])], attributes: { to: 9 } },
    { title: "a known number to an integer", inputs: [number(-2.75)], attributes: { to: 7 } },
    { title: "known integers to 32 bits", inputs: [ints([1, 2])], attributes: { to: 6 }, folds: true },
    { title: "a known number to booleans", inputs: [number(0.5)], attributes: { to: 9 } },
    { title: "one known number in a vector", inputs: [number([2.5])], attributes: { to: 7 } },
  ],
  CastLike: [
    { inputs: [data([2, 3]), fed("float32", 1)], opsets: [15, 17], tolerance: 3e-3 },
    { title: "integers", inputs: [fed("int64", [1, 2]), constant("float32", 1)] },
  ],
  ConstantOfShape: [
    { title: "zeros", inputs: [ints([2, 3])] },
    { title: "integers", inputs: [ints([2, 2])], attributes: { value: tensorOf("int64", [7]) }, folds: true },
    { title: "a scalar", inputs: [ints([], [0])], attributes: { value: tensorOf("int64", [7]) }, folds: true },
    { title: "booleans", inputs: [ints([2])], attributes: { value: tensorOf("bool", [1]) }, folds: true },
    { title: "a shape that is fed", inputs: [fed("int64", [2, 3])], shape: "unknown" },
  ],
  Range: [
    { inputs: [ints(0), ints(5), ints(1)], folds: true },
    { title: "a step", inputs: [ints(1), ints(8), ints(3)], folds: true },
    { title: "downwards", inputs: [ints(5), ints(0), ints(-2)], folds: true },
    { title: "nothing", inputs: [ints(5), ints(0), ints(1)] },
    { title: "floats", inputs: [number(0), number(1), number(0.25)], shape: "unknown" },
    { title: "a limit that is fed", inputs: [ints(0), fed("int64", 4), ints(1)], shape: "unknown" },
  ],
  NonZero: [{ inputs: [fed("int64", [0, 1, 2, 0], [2, 2])], shape: "unknown" }],
  EyeLike: [
    { inputs: [fed("int64", [0, 0, 0, 0, 0, 0], [2, 3])] },
    { title: "another type", inputs: [fed("int64", [0, 0, 0, 0], [2, 2])], attributes: { dtype: 1 } },
  ],
  TopK: [{ inputs: [data([2, 4]), ints([2])], outputs: 2, shape: "unknown", gradient: "refused" }],
  Identity: [
    { inputs: [data([2, 3])], opsets: [11, 17, 21] },
    { title: "integers", inputs: [ints([1, 2])], folds: true },
  ],
  Dropout: [{ inputs: [data([2, 3])], opsets: [11, 13, 17] }],
};
