import { constant, data, fed, number, real, type Sample, type Samples, weight } from "./sample.js";

const softmax: Sample[] = [
  { inputs: [data([2, 3, 4])], attributes: { axis: -1 }, opsets: [11, 13, 17] },
  { title: "default axis", inputs: [data([2, 4])], opsets: [11, 13] },
  { title: "a middle axis", inputs: [data([2, 3, 4])], attributes: { axis: 1 }, opsets: [13, 17] },
  { title: "the rest as one before opset 13", inputs: [data([2, 3, 4])], attributes: { axis: 1 }, opsets: [11] },
];
/** The number and the width of heads are part of a model's structure. */
const heads = (dims: number[]) => data(dims, { fixed: [1, 3] });
/** Optional inputs could not be left out before opset 13. */
const none = { roi: number([], [0]), scales: constant("float32", [], [0]) };
const epsilon = { epsilon: real(1e-3) };

export const samples: Samples = {
  LayerNormalization: [
    { inputs: [data([2, 3, 4]), weight([4]), weight([4])] },
    { title: "epsilon", inputs: [data([2, 4]), weight([4]), weight([4])], attributes: epsilon },
    { title: "no bias", inputs: [data([2, 3, 4]), weight([4])] },
    { title: "two axes", inputs: [data([2, 3, 4]), weight([3, 4]), weight([3, 4])], attributes: { axis: 1 } },
    { title: "statistics", inputs: [data([2, 3, 4]), weight([4]), weight([4])], outputs: 3, gradient: "none" },
    { title: "a scale of data", inputs: [data([2, 4]), data([4])], gradient: "refused" },
  ],
  RMSNormalization: [
    { inputs: [data([2, 3, 4]), weight([4])], opsets: [23] },
    { title: "epsilon", inputs: [data([2, 4]), weight([4])], attributes: epsilon, opsets: [23] },
    { title: "two axes", inputs: [data([2, 3, 4]), weight([3, 4])], attributes: { axis: 1 }, opsets: [23] },
  ],
  LpNormalization: [
    { inputs: [data([2, 3, 4])], attributes: { axis: -1, p: 2 } },
    { title: "a middle axis", inputs: [data([2, 3, 4])], attributes: { axis: 1, p: 2 } },
    { title: "of magnitudes", inputs: [data([2, 3, 4])], attributes: { axis: 1, p: 1 } },
  ],
  InstanceNormalization: [
    { inputs: [data([2, 3, 4, 5], { fixed: [1] }), weight([3]), weight([3])], opsets: [11, 17] },
    {
      title: "one axis, epsilon",
      inputs: [data([2, 3, 6], { fixed: [1] }), weight([3]), weight([3])],
      attributes: { epsilon: real(0.1) },
    },
    {
      title: "a scale of data",
      inputs: [data([1, 2, 3]), data([2]), weight([2])],
      gradient: "refused",
      symbolic: false,
    },
  ],
  GroupNormalization: [
    {
      title: "a scale per group",
      inputs: [data([2, 6, 4, 5], { fixed: [1] }), weight([3]), weight([3])],
      attributes: { num_groups: 3 },
      opsets: [18],
    },
    {
      title: "a scale per channel, statistics in float32",
      inputs: [data([2, 6, 4], { fixed: [1] }), weight([6]), weight([6])],
      attributes: { num_groups: 2, epsilon: real(0.01) },
      single: true,
      opsets: [21],
    },
  ],
  LRN: [
    { inputs: [data([2, 5, 2, 3])], attributes: { size: 3 }, opsets: [11, 17] },
    {
      title: "strong",
      inputs: [data([1, 5, 2, 2])],
      attributes: { size: 5, alpha: real(0.9), beta: real(0.6), bias: real(1.5) },
    },
  ],
  Softmax: softmax,
  LogSoftmax: softmax,
  BatchNormalization: [
    {
      inputs: [data([2, 3, 4, 2]), weight([3]), weight([3]), weight([3]), weight([3], { positive: true })],
      opsets: [11, 14, 17],
    },
    {
      title: "epsilon, no further axes",
      inputs: [data([2, 3], { fixed: [1] }), weight([3]), weight([3]), weight([3]), weight([3], { positive: true })],
      attributes: epsilon,
    },
  ],
  Attention: [
    { inputs: [heads([2, 2, 3, 4]), heads([2, 2, 5, 4]), heads([2, 2, 5, 4])], opsets: [23] },
    {
      title: "flat heads",
      inputs: [data([2, 3, 8], { fixed: [2] }), data([2, 5, 8], { fixed: [2] }), data([2, 5, 8], { fixed: [2] })],
      attributes: { q_num_heads: 2, kv_num_heads: 2 },
      opsets: [23],
    },
    {
      title: "grouped heads",
      inputs: [data([2, 3, 8], { fixed: [2] }), data([2, 5, 4], { fixed: [2] }), data([2, 5, 4], { fixed: [2] })],
      attributes: { q_num_heads: 4, kv_num_heads: 2, scale: real(0.3) },
      opsets: [23],
    },
    {
      title: "causal",
      inputs: [heads([1, 2, 4, 4]), heads([1, 2, 4, 4]), heads([1, 2, 4, 4])],
      attributes: { is_causal: 1 },
      opsets: [23],
    },
    {
      title: "a boolean mask",
      inputs: [
        heads([1, 2, 3, 4]),
        heads([1, 2, 3, 4]),
        heads([1, 2, 3, 4]),
        fed("bool", [1, 1, 0, 1, 0, 1, 1, 1, 1], [3, 3]),
      ],
      opsets: [23],
    },
    {
      title: "an additive mask",
      inputs: [heads([1, 2, 3, 4]), heads([1, 2, 3, 4]), heads([1, 2, 3, 4]), weight([1, 1, 3, 3])],
      opsets: [23],
    },
    {
      title: "softcap",
      inputs: [heads([1, 2, 3, 4]), heads([1, 2, 3, 4]), heads([1, 2, 3, 4])],
      attributes: { softcap: real(2) },
      opsets: [23],
      shape: "refused",
    },
  ],
  Resize: [
    ...(["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] as const).flatMap((mode) =>
      (["linear", "cubic", "nearest"] as const).map(
        (how): Sample => ({
          title: `${how}, ${mode}`,
          inputs: [data([1, 2, 3, 4]), none.roi, none.scales, constant("int64", [1, 2, 5, 6])],
          attributes: { mode: how, coordinate_transformation_mode: mode },
          opsets: how === "cubic" ? [13, 18] : [11, 18],
          symbolic: "loose",
          single: true,
        }),
      ),
    ),
    {
      title: "scales",
      inputs: [data([1, 2, 3, 4]), undefined, constant("float32", [1, 1, 2, 1.5])],
      attributes: { mode: "linear" },
      single: true,
      symbolic: "loose",
    },
    {
      title: "smaller",
      inputs: [data([1, 1, 6, 5]), undefined, undefined, constant("int64", [1, 1, 3, 2])],
      attributes: { mode: "linear" },
      symbolic: "loose",
      single: true,
    },
    {
      title: "antialiased, over two axes",
      inputs: [data([1, 1, 6, 5]), undefined, undefined, constant("int64", [3, 2])],
      attributes: { mode: "linear", antialias: 1, axes: [2, 3] },
      opsets: [18],
      symbolic: "loose",
      single: true,
    },
    {
      title: "cropped",
      inputs: [
        data([1, 1, 4, 4]),
        number([0, 0, 0.2, 0.2, 1, 1, 0.8, 0.8]),
        undefined,
        constant("int64", [1, 1, 3, 3]),
      ],
      attributes: { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize" },
      gradient: "refused",
      single: true,
      symbolic: "loose",
    },
  ],
};
