import { constant, data, fed, ints, number, type Samples, weight } from "./sample.js";

const FIRST = Number.MIN_SAFE_INTEGER;
const LAST = Number.MAX_SAFE_INTEGER;
const slice = (starts: number[], ends: number[], axes?: number[], steps?: number[]) => [
  ints(starts),
  ints(ends),
  ...(axes ? [ints(axes)] : []),
  ...(steps ? [ints(steps)] : []),
];

export const samples: Samples = {
  Reshape: [
    { inputs: [data([2, 3, 4], { fixed: [1, 2] }), ints([2, 12])], symbolic: false, opsets: [11, 13, 17, 21] },
    { title: "the rest", inputs: [data([2, 3, 4], { fixed: [1, 2] }), ints([-1, 6])], symbolic: "loose" },
    { title: "copied extents", inputs: [data([2, 3, 4], { fixed: [2] }), ints([0, 0, 2, -1])] },
    { title: "a scalar", inputs: [data([1, 1]), ints([], [0])] },
    { title: "a target that is fed", inputs: [data([2, 6]), fed("int64", [3, 4])], shape: "unknown", symbolic: false },
    { title: "integers", inputs: [ints([1, 2, 3, 4]), ints([2, 2])], folds: true },
    { title: "zero is an extent", inputs: [number([], [0, 3]), ints([3, 0])], attributes: { allowzero: 1 } },
  ],
  Transpose: [
    { title: "integers", inputs: [ints([1, 2, 3, 4, 5, 6], [2, 3])], attributes: { perm: [1, 0] }, folds: true },
    { inputs: [data([2, 3, 4])], opsets: [11, 17, 21] },
    { title: "heads", inputs: [data([2, 3, 2, 4])], attributes: { perm: [0, 2, 1, 3] } },
    { title: "turned around", inputs: [data([2, 3, 4])], attributes: { perm: [1, 2, 0] } },
  ],
  Unsqueeze: [
    { title: "axes as input", inputs: [data([2, 3]), ints([0, 3])], opsets: [13, 17, 21] },
    { title: "axes as attribute", inputs: [data([2, 3])], attributes: { axes: [0, 3] }, opsets: [11] },
    { title: "negative axes", inputs: [data([2, 3]), ints([-1, -3])] },
    { title: "integers", inputs: [ints(5), ints([0])], folds: true },
  ],
  Squeeze: [
    { title: "axes as input", inputs: [data([1, 2, 1, 3]), ints([0, 2])], opsets: [13, 17, 21] },
    { title: "axes as attribute", inputs: [data([1, 2, 1, 3])], attributes: { axes: [0, 2] }, opsets: [11] },
    { title: "negative axes", inputs: [data([1, 2, 1]), ints([-1])] },
    { title: "every axis of extent 1", inputs: [data([1, 2, 1])], symbolic: false },
    { title: "integers", inputs: [ints([5]), ints([0])], folds: true },
  ],
  Flatten: [
    { inputs: [data([2, 3, 4])], opsets: [11, 17, 21] },
    { title: "axis 0", inputs: [data([2, 3, 4])], attributes: { axis: 0 } },
    { title: "axis -1", inputs: [data([2, 3, 4])], attributes: { axis: -1 } },
    { title: "axis at the end", inputs: [data([2, 3])], attributes: { axis: 2 } },
  ],
  Expand: [
    { inputs: [data([3, 1]), ints([2, 3, 4])], opsets: [11, 17], symbolic: "loose" },
    { title: "ones keep the extent", inputs: [data([2, 1, 3]), ints([1, 4, 1])] },
    { title: "a scalar", inputs: [data([]), ints([2, 2])] },
    { title: "a target of lower rank", inputs: [data([2, 1, 1]), ints([3, 4])] },
    { title: "integers", inputs: [ints([1, 2]), ints([2, 2])], folds: true },
  ],
  Concat: [
    {
      title: "rows of integers",
      inputs: [ints([1, 2], [1, 2]), ints([3, 4], [1, 2])],
      attributes: { axis: 0 },
      folds: true,
    },
    { inputs: [data([2, 3]), data([2, 2]), data([2, 1])], attributes: { axis: 1 }, opsets: [11, 17] },
    { title: "negative axis", inputs: [data([2, 3, 4]), data([2, 3, 2])], attributes: { axis: -1 } },
    { title: "a class token", inputs: [weight([2, 1, 4]), data([2, 3, 4], { fixed: [0] })], attributes: { axis: 1 } },
    { title: "integers", inputs: [ints([1, 2]), ints([3])], attributes: { axis: 0 }, folds: true },
    { title: "one", inputs: [data([2, 3])], attributes: { axis: 0 } },
  ],
  Slice: [
    {
      title: "rows of integers, reversed",
      inputs: [ints([1, 2, 3, 4, 5, 6], [3, 2]), ...slice([-1], [FIRST], [0], [-1])],
      folds: true,
    },
    { inputs: [data([4, 5]), ...slice([1], [3])], opsets: [11, 13, 17] },
    { title: "two axes", inputs: [data([2, 4, 5]), ...slice([1, 0], [4, 3], [1, 2])] },
    { title: "from the end", inputs: [data([4, 5]), ...slice([-3], [-1], [1])] },
    { title: "to the end", inputs: [data([4, 5]), ...slice([2], [LAST], [-1])] },
    { title: "beyond the end", inputs: [data([4, 5]), ...slice([-9], [9], [1])] },
    { title: "beyond the end on both sides", inputs: [data([4, 5]), ...slice([-9, -9], [100, 100])] },
    { title: "every second", inputs: [data([4, 5]), ...slice([0], [LAST], [1], [2])] },
    { title: "every second from 1", inputs: [data([4, 6]), ...slice([1], [LAST], [1], [2])] },
    { title: "every third", inputs: [data([2, 7], { fixed: [1] }), ...slice([1], [6], [1], [3])] },
    { title: "reversed", inputs: [data([4, 5]), ...slice([-1], [FIRST], [1], [-1])] },
    { title: "part reversed", inputs: [data([2, 5], { fixed: [1] }), ...slice([3], [0], [1], [-1])] },
    {
      title: "every second reversed",
      inputs: [data([2, 5], { fixed: [1] }), ...slice([4], [FIRST], [1], [-2])],
      gradient: "refused",
    },
    { title: "integers", inputs: [ints([1, 2, 3, 4]), ...slice([1], [LAST], [0], [2])], folds: true },
    { title: "integers reversed", inputs: [ints([1, 2, 3, 4]), ...slice([2], [FIRST], [0], [-1])], folds: true },
    { title: "nothing", inputs: [data([4, 5], { fixed: [0, 1] }), ...slice([3], [2], [1])], gradient: "none" },
    {
      title: "bounds that are fed",
      inputs: [data([4, 5]), fed("int64", [1]), fed("int64", [3]), ints([1])],
      shape: "unknown",
      gradient: "refused",
    },
  ],
  Split: [
    {
      title: "sizes as input",
      inputs: [data([2, 6]), ints([1, 2, 3])],
      outputs: 3,
      attributes: { axis: 1 },
      opsets: [13, 17, 18],
    },
    {
      title: "sizes as attribute",
      inputs: [data([2, 6])],
      outputs: 3,
      attributes: { axis: 1, split: [1, 2, 3] },
      opsets: [11],
    },
    { title: "equal parts", inputs: [data([2, 6])], outputs: 3, attributes: { axis: -1 }, opsets: [11, 13] },
    {
      title: "num_outputs",
      inputs: [data([2, 6])],
      outputs: 3,
      attributes: { axis: 1, num_outputs: 3 },
      opsets: [18, 21],
    },
    {
      title: "a smaller last part",
      inputs: [data([2, 7], { fixed: [1] })],
      outputs: 3,
      attributes: { axis: 1, num_outputs: 3 },
      opsets: [18],
    },
    { title: "first axis", inputs: [data([4, 3])], outputs: 2, opsets: [13] },
  ],
  Where: [
    { inputs: [fed("bool", [1, 0, 1, 0, 1, 0], [2, 3]), data([2, 3]), data([2, 3])], opsets: [11, 17] },
    { title: "everything broadcasts", inputs: [fed("bool", [1, 0, 1]), data([2, 1]), data([])] },
    { title: "a mask", inputs: [fed("bool", [1, 0, 1]), data([2, 3]), number(-1e4)] },
    { title: "integers", inputs: [constant("bool", [1, 0]), ints([1, 2]), ints([3, 4])], folds: true },
  ],
  Pad: [
    { inputs: [data([2, 3]), ints([0, 1, 2, 0])], opsets: [11, 13, 17] },
    { title: "a value", inputs: [data([2, 3]), ints([1, 1, 0, 0]), number(0.5)] },
    { title: "cropped", inputs: [data([4, 5]), ints([-1, 0, 0, -2])] },
    {
      title: "amounts fed",
      inputs: [data([2, 3]), fed("int64", [0, 1, 2, 0], [4])],
      shape: "unknown",
      opsets: [11, 17],
    },
    {
      title: "amounts fed, one of them cropping",
      inputs: [data([4, 5]), fed("int64", [-1, 2, 0, -2], [4])],
      shape: "unknown",
    },
    { title: "axes", inputs: [data([2, 3]), ints([1, 2]), undefined, ints([-1])], opsets: [18, 21] },
    ...["reflect", "edge", "wrap"].flatMap((mode) => [
      {
        title: mode,
        inputs: [data([3, 4], { fixed: [0] }), ints([2, 1, 0, 3])],
        attributes: { mode },
        opsets: mode === "wrap" ? [19] : [11, 18],
      },
      {
        title: `${mode}, amounts fed`,
        inputs: [data([3, 4]), fed("int64", [0, 1, 0, 1], [4])],
        attributes: { mode },
        shape: "unknown" as const,
        gradient: "refused" as const,
        opsets: [19],
      },
    ]),
    {
      title: "reflect, axes",
      inputs: [data([2, 3, 4]), ints([1, 2]), undefined, ints([-1])],
      attributes: { mode: "reflect" },
      opsets: [18],
    },
  ],
  Tile: [
    { inputs: [data([2, 3]), ints([2, 1])], opsets: [11, 17] },
    { title: "every axis", inputs: [data([2, 1, 3]), ints([2, 3, 2])] },
  ],
  Trilu: [
    { title: "lower", inputs: [data([2, 3, 4])], attributes: { upper: 0 } },
    { title: "upper, shifted", inputs: [data([3, 3]), ints(1)] },
  ],
  DepthToSpace: [
    { inputs: [data([1, 8, 2, 3], { fixed: [1] })], attributes: { blocksize: 2 }, opsets: [11, 17] },
    {
      title: "column order",
      inputs: [data([1, 8, 2, 3], { fixed: [1] })],
      attributes: { blocksize: 2, mode: "CRD" },
    },
  ],
  SpaceToDepth: [{ inputs: [data([1, 2, 4, 6])], attributes: { blocksize: 2 } }],
};
