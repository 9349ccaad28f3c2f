/** Which text a token stands in: the first, the second of a pair, or none (a token the template added). */
export type Segment = 0 | 1 | null;

/** A token with its place. `start` and `end` are UTF-16 indices into the text it stands in, as JavaScript counts. */
export interface Token {
  readonly id: number;
  /** The entry of the vocabulary: `##ly`, `Ġbest`, `▁the`, `[CLS]`. */
  readonly token: string;
  /** What stands in the text, or the entry of the vocabulary where the span is empty. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly segment: Segment;
  /** Added by the template or spelled out in the text as one of the tokenizer's special tokens. */
  readonly special: boolean;
  /** Not in the vocabulary: the model saw its unknown token here. */
  readonly unknown: boolean;
}

/** Characters that no token stands for. */
export interface Dropped {
  readonly start: number;
  readonly end: number;
  readonly segment: 0 | 1;
  readonly text: string;
  /** `tokenizer`: it has nothing for them. `length`: they were cut because the model takes no more tokens. */
  readonly reason: "tokenizer" | "length";
}

/** Stands behind what the model did not read as it is written. */
export const unknownMark = "⟨?⟩";
