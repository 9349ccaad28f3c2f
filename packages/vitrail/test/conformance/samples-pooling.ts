import { elementCount } from "../../src/tensor/tensor.js";
import { data, type Samples } from "./sample.js";

const picture = data([2, 3, 7, 8]);
/** In a mixed order, far enough apart that a difference quotient meets no kink. */
const apart = (dims: readonly number[]) => {
  const count = elementCount(dims);
  return data(dims, { values: Array.from({ length: count }, (_, i) => ((i * 37 + 11) % count) / 4 - count / 8) });
};
const spread = apart([2, 3, 7, 8]);
const window = { kernel_shape: [3, 2], strides: [2, 2] };
const same = (auto_pad: string) => ({
  title: `auto_pad ${auto_pad}`,
  inputs: [picture],
  attributes: { kernel_shape: [3, 3], strides: [2, 3], auto_pad },
});

export const samples: Samples = {
  AveragePool: [
    { inputs: [picture], attributes: { kernel_shape: [2, 2], strides: [2, 2] }, opsets: [11, 19] },
    { title: "strides of 1", inputs: [picture], attributes: { kernel_shape: [3, 2] } },
    { title: "windows overlap", inputs: [picture], attributes: { ...window, kernel_shape: [3, 3] } },
    { title: "padding is left out", inputs: [picture], attributes: { ...window, pads: [1, 0, 1, 1] } },
    {
      title: "padding counts",
      inputs: [picture],
      attributes: { ...window, pads: [1, 0, 1, 1], count_include_pad: 1 },
      opsets: [11, 19],
    },
    {
      title: "the last window sticks out",
      inputs: [picture],
      attributes: { ...window, strides: [3, 3], ceil_mode: 1 },
    },
    {
      title: "it sticks out, and padding counts",
      inputs: [picture],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], ceil_mode: 1, count_include_pad: 1 },
      opsets: [19],
    },
    same("SAME_UPPER"),
    same("SAME_LOWER"),
    same("VALID"),
    { title: "dilated", inputs: [picture], attributes: { kernel_shape: [2, 2], dilations: [2, 3] }, opsets: [19] },
    { title: "one axis", inputs: [data([2, 3, 8])], attributes: { kernel_shape: [4], strides: [4] } },
    {
      title: "three axes",
      inputs: [data([1, 2, 4, 4, 3])],
      attributes: { kernel_shape: [2, 2, 3], strides: [2, 2, 1] },
    },
    { title: "the whole", inputs: [data([2, 3, 4, 5])], attributes: { kernel_shape: [4, 5] } },
  ],
  MaxPool: [
    { inputs: [spread], attributes: { kernel_shape: [2, 2], strides: [2, 2] }, opsets: [11, 17] },
    { title: "strides of 1", inputs: [spread], attributes: { kernel_shape: [3, 2] } },
    {
      title: "a stem",
      inputs: [apart([1, 2, 8, 8])],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    },
    { title: "a remainder of the stride", inputs: [spread], attributes: { kernel_shape: [2, 3], strides: [3, 3] } },
    {
      title: "the last window sticks out",
      inputs: [spread],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], ceil_mode: 1 },
    },
    { title: "gaps", inputs: [spread], attributes: { kernel_shape: [1, 1], strides: [3, 2] } },
    { title: "dilated", inputs: [spread], attributes: { kernel_shape: [2, 3], dilations: [3, 2] } },
    { ...same("SAME_UPPER"), inputs: [spread] },
    { ...same("SAME_LOWER"), inputs: [spread] },
    { ...same("VALID"), inputs: [spread] },
    {
      title: "equal ones share",
      inputs: [data([1, 1, 4], { values: [1, 1, 0.5, 2] })],
      attributes: { kernel_shape: [2], strides: [2] },
      gradient: "none",
    },
    { title: "with places", inputs: [apart([1, 2, 6])], attributes: { kernel_shape: [2], strides: [2] }, outputs: 2 },
    { title: "one axis", inputs: [apart([2, 3, 8])], attributes: { kernel_shape: [4], strides: [4] } },
    {
      title: "three axes",
      inputs: [apart([1, 2, 4, 4, 3])],
      attributes: { kernel_shape: [2, 2, 3], strides: [2, 2, 1] },
    },
  ],
  GlobalMaxPool: [
    { inputs: [apart([2, 3, 4, 5])], opsets: [11, 17] },
    { title: "one axis", inputs: [apart([2, 3, 4])] },
  ],
};
