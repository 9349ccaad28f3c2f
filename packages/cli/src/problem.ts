/** Problems around the compiler: files, folders, labels, the Hub. Codes and titles stand in the compiler's catalogue. */
import { PictureError, type Problem } from "@vitrail/picture";
import { TextError } from "@vitrail/text";
import { type Diagnostic, type DiagnosticCode, diagnostic, messageOf, VitrailError } from "vitrail";

export { messageOf };

export function problem(code: DiagnosticCode, details: { at?: string; why: string; try: string }): VitrailError {
  return new VitrailError([diagnostic(code, "", details)]);
}

export const exit = { done: 0, partly: 1, usage: 2, unsupported: 3, input: 4, threshold: 5 } as const;

/** Several problems of different kinds: what the model is comes before how it was called, that before what it was fed. */
export function exitCodeOf(error: unknown): number {
  const { diagnostics } = asVitrailError(error);
  for (const kind of ["unsupported", "usage", "input"] as const)
    if (diagnostics.some((diagnostic) => diagnostic.kind === kind)) return exit[kind];
  return exit.partly;
}

/** What the operating system said, in words. */
export function systemMessage(error: unknown): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: "there is no such file or folder",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is a file, not a folder",
    EEXIST: "there is a file of this name",
    ENAMETOOLONG: "its name is too long for the file system",
    ELOOP: "its links lead in a circle",
    EMFILE: "too many files are open at once: raise the limit (ulimit -n 1024)",
    ENFILE: "too many files are open on this machine",
    ENOMEM: "there is not enough memory",
    EDQUOT: "the disk quota is used up",
    EIO: "the disk or its connection failed",
  };
  return known[code ?? ""] ?? messageOf(error);
}

/** Every error in one form. What nobody foresaw is our own bug and says so. */
export function asVitrailError(error: unknown): VitrailError {
  if (isVitrailError(error)) return error;
  if (error instanceof PictureError) return new VitrailError(error.problems.map(pictureProblem));
  if (error instanceof TextError) {
    const [what = ""] = error.message.split("\n");
    return problem("E092", { at: `text, ${error.code}`, why: what.replace(/^T\d+ /, ""), try: error.hint });
  }
  const { syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (error instanceof Error && typeof syscall === "string") {
    const at = path ?? syscall;
    return problem("E077", { at, why: systemMessage(error), try: "mend what it says, and run the command again" });
  }
  const title = `internal: ${messageOf(error)}`;
  const hint = "please report this, with the command and, if you may, the model";
  const at = error instanceof Error ? error.stack?.split("\n")[1]?.trim() : undefined;
  return new VitrailError([{ kind: "internal", code: "E090", title, try: hint, ...(at && { at }) }]);
}

/** The picture and text packages stand on their own, and so do their codes: here they become ours. */
const pictureProblem = ({ code, what, why, try: hint }: Problem): Diagnostic =>
  diagnostic("E093", "", { at: `picture, ${code}`, why: `${what}: ${why}`, try: hint });

const isVitrailError = (error: unknown): error is VitrailError =>
  error instanceof VitrailError || (error instanceof Error && error.name === "VitrailError" && "diagnostics" in error);
