import { data, fed, ints, number, type Samples, weight } from "./sample.js";

const ids = (values: number[], dims?: number[]) => fed("int64", values, dims);
/** How deep an index reaches is part of a model's structure. */
const places = (values: number[], dims: number[]) => fed("int64", values, dims, { fixed: [dims.length - 1] });

export const samples: Samples = {
  Gather: [
    {
      title: "columns of integers",
      inputs: [ints([1, 2, 3, 4, 5, 6], [2, 3]), ints([2, -3])],
      attributes: { axis: 1 },
      folds: true,
    },
    { title: "a class token", inputs: [data([2, 3, 4]), ints(0)], attributes: { axis: 1 }, opsets: [11, 13, 17] },
    { title: "a kept axis", inputs: [data([2, 3, 4]), ints([1])], attributes: { axis: 1 } },
    { title: "the last one", inputs: [data([2, 3, 4]), ints(-1)], attributes: { axis: 1 } },
    { title: "repeated", inputs: [data([3, 4]), ints([0, 2, 2, -1])] },
    { title: "a table of indices", inputs: [data([4, 3]), ints([0, 1, 3, 3], [2, 2])], attributes: { axis: 0 } },
    { title: "along a middle axis", inputs: [data([2, 5, 3]), ints([4, 1])], attributes: { axis: -2 } },
    { title: "indices that are fed", inputs: [data([2, 5, 3]), ids([4, 1, 1])], attributes: { axis: 1 } },
    { title: "one index that is fed", inputs: [data([2, 5, 3]), ids([4], [])], attributes: { axis: 1 } },
    { title: "32-bit indices", inputs: [data([5, 3]), fed("int32", [4, -2])] },
    { title: "integers", inputs: [ints([5, 6, 7]), ints([2, 0])], folds: true },
    { title: "one integer", inputs: [ints([5, 6, 7]), ints(-1)], folds: true },
    { title: "integers of a matrix", inputs: [ints([5, 6, 7, 8], [2, 2]), ints([1])], attributes: { axis: 1 } },
  ],
  GatherElements: [
    {
      inputs: [data([2, 3]), ids([0, 2, 1, 1], [2, 2])],
      attributes: { axis: 1 },
      opsets: [11, 13, 16, 18],
      symbolic: "loose",
    },
    { title: "first axis", inputs: [data([3, 2]), ids([0, 2, 2, 1], [2, 2])], attributes: { axis: 0 }, opsets: [17] },
    {
      title: "negative indices",
      inputs: [data([3, 3]), ids([-1, 0, -3], [3, 1])],
      attributes: { axis: -1 },
      opsets: [13, 17],
    },
    {
      title: "first axis without a reduction to scatter with",
      inputs: [data([3, 2]), ids([0, 2, 2, 1], [2, 2])],
      attributes: { axis: 0 },
      opsets: [13],
      gradient: "refused",
    },
  ],
  GatherND: [
    { inputs: [data([2, 3, 4]), places([0, 1, 1, 2], [2, 2])], opsets: [13, 17, 18] },
    { title: "repeated", inputs: [data([3, 2]), places([1, 1, 0], [3, 1])], opsets: [16, 17] },
    { title: "elements", inputs: [data([2, 3]), places([0, 2, 1, 0], [2, 2])], opsets: [17] },
    {
      title: "batch_dims",
      inputs: [data([2, 3, 4]), places([1, 2], [2, 1])],
      attributes: { batch_dims: 1 },
      gradient: "refused",
    },
  ],
  ScatterND: [
    { inputs: [data([4, 3]), places([1, 3], [2, 1]), data([2, 3])], opsets: [11, 16, 18] },
    { title: "elements", inputs: [data([2, 3]), places([0, 2, 1, 0], [2, 2]), data([2])] },
    { title: "into a constant", inputs: [weight([4, 3]), places([1, 3], [2, 1]), data([2, 3])], symbolic: "loose" },
    {
      title: "added",
      inputs: [data([4, 3]), places([1, 1], [2, 1]), data([2, 3])],
      attributes: { reduction: "add" },
      gradient: "refused",
    },
  ],
  ScatterElements: [
    { inputs: [data([2, 3]), ids([0, 2], [2, 1]), data([2, 1])], attributes: { axis: 1 }, opsets: [11, 16, 18] },
    { title: "negative axis", inputs: [data([2, 3]), ids([-1, 0], [2, 1]), data([2, 1])], attributes: { axis: -1 } },
    {
      title: "added",
      inputs: [data([2, 3]), ids([0, 0], [2, 1]), data([2, 1])],
      attributes: { axis: 1, reduction: "add" },
      gradient: "refused",
    },
  ],
  OneHot: [
    { inputs: [ids([0, 2, 1]), ints([3]), number([0, 1])], opsets: [11, 17] },
    { title: "first axis", inputs: [ids([0, 2, 1]), ints(4), number([0, 1])], attributes: { axis: 0 } },
    { title: "a depth that is fed", inputs: [ids([0, 2]), ids([3]), number([0, 1])], shape: "unknown" },
  ],
};
