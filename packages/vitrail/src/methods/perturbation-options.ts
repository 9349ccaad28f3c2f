/** What stands in place of a part that was taken away, and which parts there are: the same for every method that takes parts away. */
import type { MethodOption } from "./method.js";

export const perturbationOptions: readonly MethodOption[] = [
  {
    name: "fill",
    type: "number",
    default: 0,
    description:
      "what a hidden patch holds, in the numbers that the model takes (0 is the mean after the usual scaling)",
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
