/** What stands in place of a part that was taken away, and which parts there are: the same for every method that takes parts away. */
import type { MethodOption } from "./method.js";

export const perturbationOptions: readonly MethodOption[] = [
  {
    name: "fill",
    type: "string",
    default: "mean",
    description:
      'what a hidden patch holds: "mean" (of the input, channel by channel), or a number as the model takes it, such as "0"',
  },
  {
    name: "cell",
    type: "integer",
    default: 0,
    description: "side of a hidden square in pixels; 0 takes the model's own patches, or 14 rows where it has none",
  },
  {
    name: "maskToken",
    type: "integer",
    default: 0,
    description: "id that stands for a hidden token; the command line takes the tokenizer's [MASK], [UNK] or [PAD]",
  },
  {
    name: "keepTokens",
    type: "string",
    default: "ends",
    description:
      'tokens that are never hidden: "ends" (first and last), "none", or ids such as "101,102"; the command line takes the tokenizer\'s special tokens',
  },
];
