/**
 * Errors of this package are data: a code, what happened, why, and what to try. Several problems are reported together.
 */

/** One problem, ready to be printed or put into JSON. */
export interface Problem {
  /** Stable identifier, kebab-case. */
  readonly code: PictureErrorCode;
  /** What happened, one sentence without a full stop. */
  readonly what: string;
  /** Why this is a problem. */
  readonly why: string;
  /** What a person can do about it. */
  readonly try: string;
}

export type PictureErrorCode =
  | "bad-raster"
  | "bad-size"
  | "bad-map"
  | "bad-option"
  | "config-not-an-object"
  | "missing-setting"
  | "bad-setting"
  | "unsupported-setting"
  | "unsupported-processor"
  | "size-mismatch";

/** Thrown by the functions of this package; `problems` holds every problem that was found, not only the first. */
export class PictureError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((p) => `${p.code}: ${p.what}\n  why   ${p.why}\n  try   ${p.try}`).join("\n"));
    this.name = "PictureError";
    this.problems = problems;
  }

  /** Code of the first problem. */
  get code(): PictureErrorCode {
    return this.problems[0]?.code ?? "bad-option";
  }
}

/** Makes an error of one problem. */
export function pictureError(code: PictureErrorCode, what: string, why: string, hint: string): PictureError {
  return new PictureError([{ code, what, why, try: hint }]);
}
