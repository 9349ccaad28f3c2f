/** What can go wrong with text. Codes are stable; texts may change. */
export type TextErrorCode =
  | "T001" // tokenizer.json is not one this package can read
  | "T002" // the library and the trace disagree (a bug of ours)
  | "T003" // the text does not fit and the caller asked not to cut it
  | "T004" // the model wants an input that cannot be made from text
  | "T005" // numbers of tokens and of values differ, or a value is not finite
  | "T006"; // the tokenizer has no template for pairs

/** An error with a stable code and a hint about what to try. */
export class TextError extends Error {
  readonly code: TextErrorCode;
  readonly hint: string;

  constructor(code: TextErrorCode, message: string, hint: string) {
    super(`${code} ${message}\n  try   ${hint}`);
    this.name = "TextError";
    this.code = code;
    this.hint = hint;
  }
}
