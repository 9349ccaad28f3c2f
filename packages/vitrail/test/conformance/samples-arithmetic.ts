import { constant, data, fed, ints, number, type Sample, type Samples, weight } from "./sample.js";

const PLAIN: Sample = { inputs: [data([2, 3]), data([2, 3])], opsets: [11, 17, 21] };
const BROADCAST: Sample[] = [
  { title: "both broadcast", inputs: [data([2, 1, 4]), data([3, 1])] },
  { title: "ranks differ", inputs: [data([4]), data([2, 3, 4])] },
  { title: "a scalar", inputs: [data([2, 3]), data([])] },
  { title: "a constant", inputs: [data([2, 3, 4]), weight([4])] },
  { title: "a constant first", inputs: [weight([3, 1]), data([2, 3, 4])] },
];
const folded = (a: number[], c: number[] | number): Sample => ({
  title: "integers",
  inputs: [ints(a), ints(c)],
  folds: true,
});
const compared = (a: number[], c: number[]): Sample[] => [
  { title: "integers", inputs: [ints(a), ints(c)], folds: true },
  { title: "data", inputs: [data([2, 3]), data([3])], gradient: "none" },
];
const logical: Sample[] = [
  { title: "folds", inputs: [constant("bool", [0, 0, 1, 1]), constant("bool", [0, 1, 0, 1])], folds: true },
  { title: "masks", inputs: [fed("bool", [0, 1, 1, 0, 1, 0], [2, 3]), fed("bool", [1, 1, 0])] },
];

export const samples: Samples = {
  Add: [PLAIN, ...BROADCAST, folded([1, 2, 3], 4)],
  Sub: [PLAIN, ...BROADCAST, folded([1, 2, 3], [4, 5, 6])],
  Mul: [PLAIN, ...BROADCAST, folded([1, -2, 3], 4)],
  Div: [
    PLAIN,
    ...BROADCAST,
    folded([12, 7, 9], [4, 2, 3]),
    { title: "negative integers", inputs: [ints([-7, 7]), ints([2, -2])] },
  ],
  Pow: [
    { title: "a square", inputs: [data([2, 3]), number(2)], opsets: [11, 17] },
    { title: "a cube", inputs: [data([2, 3]), number(3)] },
    { title: "a root", inputs: [data([2, 3], { positive: true }), number(0.5)] },
    {
      title: "exponents broadcast",
      inputs: [data([1, 3], { positive: true }), number([2, 3, 1.5, -1, 2, 0.5], [2, 3])],
    },
    { title: "an integer exponent", inputs: [data([2, 3]), ints(2)], tolerance: 3e-3 },
    { title: "exponents are data", inputs: [number(2), data([2, 3])], gradient: "refused" },
    folded([2, 3], 3),
  ],
  Mod: [
    folded([7, 9, 4], 4),
    { title: "negative integers", inputs: [ints([-7, 7, -8]), ints([3, -3, 4])], folds: true },
    { title: "like C", inputs: [ints([-7, 7]), ints([3, -3])], attributes: { fmod: 1 } },
    { title: "data", inputs: [data([2, 3]), number(0.7)], attributes: { fmod: 1 }, gradient: "refused" },
  ],
  Max: [
    PLAIN,
    { title: "three", inputs: [data([2, 3]), data([3]), weight([2, 1])], opsets: [13, 17] },
    { title: "one", inputs: [data([2, 3])] },
    folded([1, 5, 3], 2),
  ],
  Min: [
    PLAIN,
    { title: "three", inputs: [data([2, 3]), data([3]), weight([2, 1])], opsets: [13, 17] },
    folded([1, 5, 3], 2),
  ],
  Sum: [
    { inputs: [data([2, 3]), data([2, 3]), data([3])], opsets: [11, 17] },
    { title: "one", inputs: [data([2, 3])] },
    { title: "with a constant", inputs: [data([2, 1]), weight([2, 3])] },
  ],
  Mean: [
    { inputs: [data([2, 3]), data([2, 3]), data([3])], opsets: [11, 17] },
    { title: "one", inputs: [data([2, 3])] },
    { title: "with a constant", inputs: [data([2, 1]), weight([2, 3])] },
  ],
  Equal: compared([1, 2, 3], [1, 5, 3]),
  Less: compared([1, 2, 3], [1, 5, 2]),
  LessOrEqual: compared([1, 2, 3], [1, 5, 2]),
  Greater: compared([1, 2, 3], [1, 5, 2]),
  GreaterOrEqual: compared([1, 2, 3], [1, 5, 2]),
  And: logical,
  Or: logical,
  Xor: logical,
  Not: [
    { title: "folds", inputs: [constant("bool", [0, 1])], folds: true },
    { title: "a mask", inputs: [fed("bool", [0, 1, 1, 0, 1, 0], [2, 3])] },
  ],
  IsNaN: [{ inputs: [data([2, 3])], gradient: "none", opsets: [13, 20] }],
  IsInf: [{ inputs: [data([2, 3])], gradient: "none", opsets: [17, 20] }],
  ...Object.fromEntries(
    ["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map((name) => [
      name,
      [{ inputs: [ints([6, 3, -1]), ints([3, 5, 4])], folds: true as const, opsets: [18] }],
    ]),
  ),
  BitwiseNot: [{ inputs: [fed("int64", [6, 3, -1])], opsets: [18] }],
  BitShift: [
    {
      inputs: [fed("uint8", [1, 2, 3]), fed("uint8", [1, 2, 1])],
      attributes: { direction: "LEFT" },
    },
  ],
};
