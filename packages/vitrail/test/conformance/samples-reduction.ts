import { data, fed, ints, type Sample, type Samples } from "./sample.js";

/** Axes were an attribute before they became an input (opset 13 for ReduceSum, 18 for the others). */
const reduced = (since: number, values: Parameters<typeof data>[1] = {}): Sample[] => {
  const [before, after] =
    since === 13
      ? [[11], [13, 18, 21]]
      : [
          [11, 13, 17],
          [18, 21],
        ];
  return [
    {
      title: "axes as attribute",
      inputs: [data([2, 3, 4], values)],
      attributes: { axes: [1], keepdims: 1 },
      opsets: before,
    },
    {
      title: "axes as input",
      inputs: [data([2, 3, 4], values), ints([1])],
      attributes: { keepdims: 1 },
      opsets: after,
    },
    {
      title: "axes dropped, as attribute",
      inputs: [data([2, 3, 4], values)],
      attributes: { axes: [-1, 0], keepdims: 0 },
      opsets: before.slice(-1),
    },
    {
      title: "axes dropped",
      inputs: [data([2, 3, 4], values), ints([-1, 0])],
      attributes: { keepdims: 0 },
      opsets: after,
    },
    { title: "all axes", inputs: [data([2, 3], values)], attributes: { keepdims: 0 }, opsets: [...before, ...after] },
    { title: "all axes kept", inputs: [data([2, 3], values)], opsets: after.slice(0, 1) },
    {
      title: "no axes",
      inputs: [data([2, 3], values), ints([], [0])],
      attributes: { noop_with_empty_axes: 1 },
      opsets: after.slice(0, 1),
    },
  ];
};
/** Without a gradient rule: a silent zero would be wrong. */
const refused = (list: readonly Sample[]): Sample[] => list.map((s) => ({ ...s, gradient: "refused" }));
const best: Sample[] = [
  { inputs: [data([2, 3])], attributes: { axis: 1, keepdims: 0 }, gradient: "none", opsets: [11, 17] },
  { title: "kept", inputs: [data([2, 3])], attributes: { axis: -1, keepdims: 1 }, gradient: "none" },
  { title: "first axis", inputs: [data([2, 3])], gradient: "none" },
];

export const samples: Samples = {
  ReduceSum: [
    ...reduced(13),
    { title: "integers", inputs: [ints([1, 2, 3])], folds: true, opsets: [13] },
    { title: "axes that are fed", inputs: [data([2, 3]), fed("int64", [1])], shape: "unknown", gradient: "refused" },
  ],
  ReduceMean: reduced(18),
  ReduceL1: reduced(18),
  ReduceL2: reduced(18),
  ReduceLogSumExp: reduced(18),
  ReduceLogSum: reduced(18, { positive: true }),
  ReduceSumSquare: reduced(18),
  ReduceMax: reduced(18),
  ReduceMin: reduced(18),
  ReduceProd: [
    ...refused(reduced(18)),
    { title: "integers", inputs: [ints([2, 3, 4])], attributes: { keepdims: 0 }, folds: true, opsets: [13, 18] },
  ],
  GlobalAveragePool: [
    { inputs: [data([2, 3, 4, 5])], opsets: [11, 17] },
    { title: "one axis", inputs: [data([2, 3, 4])] },
  ],
  ArgMax: best,
  ArgMin: best,
  CumSum: [
    { title: "integers", inputs: [fed("int64", [1, 2, 3]), ints(0)] },
    { title: "data", inputs: [data([2, 3]), ints(1)], opsets: [11, 14, 17] },
    { title: "exclusive", inputs: [data([2, 3]), ints(-1)], attributes: { exclusive: 1 } },
    { title: "reverse", inputs: [data([2, 3]), ints(0)], attributes: { reverse: 1 } },
  ],
};
