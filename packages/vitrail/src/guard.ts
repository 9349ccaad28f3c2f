/** Whatever is thrown on the way of a model comes out as a diagnostic: the file's fault by its code, ours as E090 with pass and node. */
import { type Diagnostic, diagnostic, messageOf, VitrailError } from "./errors.js";
import { Misfit, OverBudget } from "./tensor/misfit.js";

/** How far the work has come. */
export interface Progress {
  readonly pass: string;
  readonly source: string;
}

/** @throws VitrailError, and nothing else */
export function guarded<T>(work: () => T, progress?: Progress): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof VitrailError) throw error;
    throw new VitrailError([told(error, progress)], { cause: error });
  }
}

/** What was thrown while a node of the file was read: operands that do not fit are the file's fault there. */
export function guardedNode<T>(work: () => T, at: string, node: string): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof VitrailError) throw error;
    const found =
      error instanceof Misfit
        ? diagnostic("E001", "", { at, node, why: error.message, try: "check the file with onnx.checker" })
        : tooMuch(error, at, node);
    throw new VitrailError([found ?? ours(error, at, node)], { cause: error });
  }
}

function told(error: unknown, progress: Progress | undefined): Diagnostic {
  const node = progress?.source || undefined;
  const pass = progress?.pass ? `pass "${progress.pass}"` : undefined;
  const at = [pass, node && `node "${node}"`].filter((part) => part).join(", at ");
  return tooMuch(error, node ? `node "${node}"` : "the model", node) ?? ours(error, at || "the model", node);
}

/** A stack or a length that the engine refuses is a budget too: nothing of ours nests or grows without the file asking for it. */
function tooMuch(error: unknown, at: string, node: string | undefined): Diagnostic | undefined {
  if (!(error instanceof OverBudget || error instanceof RangeError)) return undefined;
  const why =
    error instanceof OverBudget ? error.message : "it nests deeper, or makes something longer, than can be held";
  return diagnostic("E047", "", {
    at,
    ...(node && { node }),
    why,
    try: "export the model with fixed sizes, or simplify it with onnxslim; a file of unknown origin may be made to do this",
  });
}

const ours = (error: unknown, at: string, node: string | undefined): Diagnostic =>
  diagnostic("E090", "", {
    at,
    ...(node && { node }),
    why: messageOf(error),
    try: "report it, with the file if you may share it, or what vitrail inspect says of it",
  });
