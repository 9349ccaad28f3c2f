/**
 * What an input of a text model holds, by the names that exporters give. TensorFlow writes `input_word_ids`, `input_mask` and
 * `input_type_ids`, and adds an output number or a signature: `input_ids:0`, `serving_default_input_ids`, `model/input_mask`.
 */
export const textMeanings = ["ids", "mask", "types", "positions"] as const;
export type TextMeaning = (typeof textMeanings)[number];

const patterns: readonly (readonly [RegExp, TextMeaning])[] = [
  [/^(input_)?(word_|token_)?ids$|^(input_)?tokens$/, "ids"],
  // A padding mask says the opposite of an attention mask: it is not taken for one.
  [/^((attention|input|attn|token)_)?mask$/, "mask"],
  [/^(input_|token_)?type_ids$|^segment(_ids?)?$|^segments$/, "types"],
  [/^(input_)?positions?(_ids)?$/, "positions"],
];

/** Undefined where the name says nothing. */
export function meaningOf(name: string): TextMeaning | undefined {
  const plain = name
    .replace(/^.*\//, "")
    .replace(/:\d+$/, "")
    .replace(/^serving_default_/, "")
    .toLowerCase();
  return patterns.find(([pattern]) => pattern.test(plain))?.[1];
}
