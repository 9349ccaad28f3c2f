import { data, ints, type Samples, weight } from "./sample.js";

export const samples: Samples = {
  Add: [
    { inputs: [data([2, 3]), data([2, 3])], opsets: [11, 17, 21] },
    { title: "both broadcast", inputs: [data([2, 1, 4]), data([3, 1])] },
    { title: "a bias", inputs: [data([2, 3, 4]), weight([4])] },
    { title: "integers", inputs: [ints([1, 2, 3]), ints(4)], folds: true },
  ],
};
