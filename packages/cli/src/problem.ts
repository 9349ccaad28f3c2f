import { type Diagnostic, VitrailError } from "vitrail";

/** Problems around the compiler: files, folders, labels, the Hub. Same form as the compiler's own. */
const CATALOGUE = {
  E080: { kind: "usage", title: "wrong use" },
  E081: { kind: "input", title: "no such file" },
  E082: { kind: "input", title: "the picture cannot be read" },
  E083: { kind: "input", title: "the picture has the wrong size for this model" },
  E084: { kind: "usage", title: "no such class" },
  E085: { kind: "input", title: "the output cannot be written" },
  E086: { kind: "input", title: "no model found" },
  E087: { kind: "input", title: "the model folder is damaged" },
  E088: { kind: "input", title: "the Hub did not give the model" },
  E089: { kind: "input", title: "the tensors cannot be read" },
  E091: { kind: "usage", title: "the inputs do not fit the model" },
  E092: { kind: "input", title: "the text cannot be read" },
} as const satisfies Record<string, { kind: Diagnostic["kind"]; title: string }>;

export type ProblemCode = keyof typeof CATALOGUE;

export function problem(code: ProblemCode, details: { at?: string; why: string; try: string }): VitrailError {
  return new VitrailError([{ ...CATALOGUE[code], code: code as string as Diagnostic["code"], ...details }]);
}

export const exit = { done: 0, partly: 1, usage: 2, unsupported: 3, input: 4, threshold: 5 } as const;

/** Several problems of different kinds: what the model is comes before how it was called, that before what it was fed. */
export function exitCodeOf(error: unknown): number {
  const { diagnostics } = asVitrailError(error);
  for (const kind of ["unsupported", "usage", "input"] as const)
    if (diagnostics.some((diagnostic) => diagnostic.kind === kind)) return exit[kind];
  return exit.partly;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim();

/** What the operating system said, in words. */
export function systemMessage(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: "there is no such file or folder",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is a file, not a folder",
    EEXIST: "there is a file of this name",
  };
  return known[code ?? ""] ?? messageOf(error);
}

/** The errors of the picture and text packages are lists of problems too. */
interface ForeignError extends Error {
  problems: readonly { code: string; what: string; why: string; try: string }[];
}
const isForeign = (error: unknown): error is ForeignError =>
  error instanceof Error && Array.isArray((error as Partial<ForeignError>).problems);

/** Every error in one form. What nobody foresaw is our own bug and says so. */
export function asVitrailError(error: unknown): VitrailError {
  if (isVitrailError(error)) return error;
  if (isForeign(error)) {
    const diagnostics = error.problems.map(({ code, what, why, try: hint }) => {
      return { kind: "input", code: code as Diagnostic["code"], title: what, why, try: hint } as const;
    });
    return new VitrailError(diagnostics);
  }
  const title = `internal: ${messageOf(error)}`;
  const hint = "please report this, with the command and, if you may, the model";
  const at = error instanceof Error ? error.stack?.split("\n")[1]?.trim() : undefined;
  return new VitrailError([{ kind: "internal", code: "E090", title, try: hint, ...(at && { at }) }]);
}

const isVitrailError = (error: unknown): error is VitrailError =>
  error instanceof VitrailError || (error instanceof Error && error.name === "VitrailError" && "diagnostics" in error);
