import { data, number, real, type Samples, weight } from "./sample.js";

const picture = data([2, 3, 5, 6], { fixed: [1] });

export const samples: Samples = {
  MatMul: [
    { inputs: [data([3, 4]), weight([4, 2])], opsets: [11, 13, 17] },
    { title: "batched", inputs: [data([2, 3, 4]), weight([4, 5])] },
    { title: "data times data", inputs: [data([2, 2, 3, 4]), data([2, 2, 4, 3])] },
    { title: "leading axes broadcast", inputs: [data([2, 1, 3, 4]), data([3, 4, 2])] },
    { title: "weights first", inputs: [weight([3, 4]), data([2, 4, 5])] },
    { title: "vector times matrix", inputs: [data([4]), data([4, 3])] },
    { title: "matrix times vector", inputs: [data([2, 3, 4]), data([4])] },
    { title: "vector times vector", inputs: [data([4]), data([4])] },
    { title: "vector times batch", inputs: [data([4]), data([2, 4, 3])] },
  ],
  Gemm: [
    { inputs: [data([3, 4]), weight([4, 2]), weight([2])], opsets: [11, 13, 17] },
    { title: "transposed weights", inputs: [data([3, 4]), weight([2, 4]), weight([2])], attributes: { transB: 1 } },
    { title: "transposed data", inputs: [data([4, 3]), data([4, 2])], attributes: { transA: 1 } },
    {
      title: "factors",
      inputs: [data([3, 4]), weight([4, 2]), data([3, 1])],
      attributes: { alpha: real(0.5), beta: real(2) },
    },
    { title: "beta 0", inputs: [data([3, 4]), weight([4, 2]), weight([2])], attributes: { beta: real(0) } },
    { title: "a scalar bias", inputs: [data([3, 4]), weight([4, 2]), number(0.5)] },
  ],
  Conv: [
    { inputs: [picture, weight([4, 3, 3, 2])], opsets: [11, 17] },
    { title: "a bias", inputs: [picture, weight([4, 3, 3, 3]), weight([4])] },
    {
      title: "strides, pads and dilations",
      inputs: [data([1, 3, 9, 8]), weight([2, 3, 3, 3])],
      attributes: { strides: [2, 2], pads: [1, 0, 2, 1], dilations: [2, 1] },
    },
    {
      title: "a remainder of the stride",
      inputs: [data([1, 2, 8, 9]), weight([2, 2, 3, 3])],
      attributes: { strides: [3, 2] },
    },
    { title: "patches", inputs: [data([2, 3, 8, 8]), weight([4, 3, 4, 4])], attributes: { strides: [4, 4] } },
    { title: "groups", inputs: [data([1, 4, 5, 5]), weight([6, 2, 3, 3])], attributes: { group: 2 } },
    {
      title: "depthwise",
      inputs: [data([1, 4, 5, 5]), weight([4, 1, 3, 3]), weight([4])],
      attributes: { group: 4, pads: [1, 1, 1, 1] },
    },
    { title: "one axis", inputs: [data([2, 3, 7]), weight([4, 3, 3])], attributes: { strides: [2], pads: [1, 1] } },
    {
      title: "three axes",
      inputs: [data([1, 2, 3, 4, 4]), weight([2, 2, 2, 2, 2])],
      attributes: { strides: [1, 2, 2] },
    },
    { title: "auto_pad VALID", inputs: [picture, weight([4, 3, 3, 2])], attributes: { auto_pad: "VALID" } },
    ...["SAME_UPPER", "SAME_LOWER"].flatMap((auto_pad) => [
      { title: `auto_pad ${auto_pad}`, inputs: [picture, weight([4, 3, 3, 2])], attributes: { auto_pad } },
      {
        title: `auto_pad ${auto_pad}, strides`,
        inputs: [data([1, 3, 9, 8]), weight([2, 3, 2, 4])],
        attributes: { auto_pad, strides: [2, 3] },
      },
      {
        title: `auto_pad ${auto_pad}, strides beyond the kernel`,
        inputs: [data([1, 2, 8, 10]), weight([2, 2, 2, 1])],
        attributes: { auto_pad, strides: [3, 4] },
      },
    ]),
    { title: "kernels are data", inputs: [picture, data([4, 3, 3, 2])], gradient: "refused", symbolic: false },
  ],
  ConvTranspose: [
    { inputs: [data([1, 3, 4, 5]), weight([3, 2, 3, 3])], opsets: [11, 17] },
    {
      title: "strides, pads and output padding",
      inputs: [data([1, 3, 4, 5]), weight([3, 2, 3, 3]), weight([2])],
      attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
    },
    { title: "groups", inputs: [data([1, 4, 3, 3]), weight([4, 1, 2, 2])], attributes: { group: 2, strides: [2, 2] } },
    { title: "dilations", inputs: [data([1, 2, 3, 3]), weight([2, 2, 2, 2])], attributes: { dilations: [2, 2] } },
    ...["SAME_UPPER", "SAME_LOWER", "VALID"].map((auto_pad) => ({
      title: `auto_pad ${auto_pad}`,
      inputs: [data([1, 3, 4, 5]), weight([3, 2, 4, 3])],
      attributes: { auto_pad, strides: [1, 2] },
    })),
    {
      title: "a given shape",
      inputs: [data([1, 3, 4, 5], { fixed: [2, 3] }), weight([3, 2, 4, 3])],
      attributes: { strides: [2, 2], output_shape: [7, 10] },
    },
    {
      title: "kernels are data",
      inputs: [data([1, 2, 3, 3]), data([2, 1, 2, 2])],
      gradient: "refused",
      symbolic: false,
    },
  ],
  Einsum: [
    {
      title: "ij,jk->ik",
      inputs: [data([2, 3]), data([3, 4])],
      attributes: { equation: "ij,jk->ik" },
      opsets: [13, 17],
    },
    {
      title: "scores",
      inputs: [data([2, 3, 2, 4]), data([2, 5, 2, 4])],
      attributes: { equation: "b q h d, b k h d -> b h q k" },
    },
    { title: "weights", inputs: [data([2, 3, 4]), weight([4, 2, 3])], attributes: { equation: "btd,dhe->bhte" } },
    { title: "element by element", inputs: [data([2, 3]), data([2, 3])], attributes: { equation: "ij,ij->ij" } },
    { title: "outer product", inputs: [data([3]), data([4])], attributes: { equation: "i,j->ij" } },
    { title: "transposed", inputs: [data([2, 3, 4])], attributes: { equation: "ijk->kij" } },
    { title: "row sums over both", inputs: [data([2, 3]), data([2, 3])], attributes: { equation: "ij,ij->i" } },
    { title: "an index of its own", inputs: [data([2, 3])], attributes: { equation: "ij->i" } },
    {
      title: "indices of their own",
      inputs: [data([2, 3, 4]), data([3, 5])],
      attributes: { equation: "ijk,jl->ji" },
    },
    { title: "a diagonal", inputs: [data([3, 3])], attributes: { equation: "ii->i" }, shape: "refused" },
    { title: "implicit output", inputs: [data([2, 3]), data([3, 4])], attributes: { equation: "ij,jk" } },
    { title: "implicit output in its order", inputs: [data([2, 3]), data([3, 4])], attributes: { equation: "zj,ja" } },
    { title: "an ellipsis", inputs: [data([2, 3])], attributes: { equation: "...j->j..." } },
    {
      title: "ellipses",
      inputs: [data([2, 3, 4]), data([2, 5, 4])],
      attributes: { equation: "... p d, ... q d -> ... p q" },
    },
    {
      title: "ellipses of different lengths",
      inputs: [data([2, 3, 4, 2]), weight([2, 5])],
      attributes: { equation: "...d,de->...e" },
    },
    {
      title: "ellipses, implicit output",
      inputs: [data([2, 3, 4]), data([2, 4, 5])],
      attributes: { equation: "...ij,...jk" },
    },
    {
      title: "three operands",
      inputs: [data([2, 3]), weight([3, 4]), data([4, 2, 3])],
      attributes: { equation: "ai,ij,jab->ab" },
    },
  ],
};
