/**
 * Every problem that Vitrail can report, whichever part meets it. A diagnostic says what, where, why and what to try; several are
 * reported together.
 *
 *     E021 no gradient for operator NonMaxSuppression
 *       at    node "/head/NonMaxSuppression"
 *       why   the target depends on it, and it is not differentiable
 *       try   compile(model, { output: "class_logits" })
 */
export type DiagnosticKind = "unsupported" | "usage" | "input" | "internal";

const CATALOGUE = {
  // The bytes of a model.
  E001: { kind: "input", title: "not a valid ONNX model" },
  E002: { kind: "input", title: "external data is missing or unsafe" },
  E003: { kind: "input", title: "the model file is too large" },
  E004: { kind: "input", title: "not a printed graph" },
  // What was asked of the compiler.
  E010: { kind: "usage", title: "unknown method" },
  E011: { kind: "usage", title: "unknown option" },
  E012: { kind: "usage", title: "no such output" },
  E013: { kind: "usage", title: "no such input" },
  E014: { kind: "usage", title: "read-out not understood" },
  E015: { kind: "usage", title: "no such target mode" },
  E016: { kind: "usage", title: "bad value of option" },
  E017: { kind: "usage", title: "no single graph can be the method" },
  // What stands in a model's way.
  E020: { kind: "unsupported", title: "unknown operator" },
  E021: { kind: "unsupported", title: "no gradient for operator" },
  E022: { kind: "unsupported", title: "no relevance rule for operator" },
  E023: { kind: "unsupported", title: "control flow cannot be resolved:" },
  E024: { kind: "unsupported", title: "shape cannot be inferred" },
  E025: { kind: "unsupported", title: "operator used in a way that is not covered:" },
  E030: { kind: "unsupported", title: "no attention found" },
  E031: { kind: "unsupported", title: "token layout not understood" },
  E032: { kind: "unsupported", title: "nothing to explain" },
  E033: { kind: "unsupported", title: "decoder with a cache" },
  E034: { kind: "unsupported", title: "several targets at once are not covered by operator" },
  E035: { kind: "usage", title: "exact sums need the optimiser" },
  E042: { kind: "unsupported", title: "the explained output has no axis of samples" },
  E043: { kind: "usage", title: "no probability to start at" },
  E044: { kind: "usage", title: "the labels do not fit the model" },
  E045: { kind: "usage", title: "no such place on the output" },
  // What shows only when a model is run.
  E040: { kind: "input", title: "the map has values that are not finite" },
  E041: { kind: "input", title: "the map is zero everywhere" },
  // What a file may ask for.
  E047: { kind: "input", title: "the model asks for more than any model needs" },
  E048: { kind: "input", title: "what the file says of its own compilation is damaged" },
  // Around an evaluation.
  E051: { kind: "input", title: "the former results cannot be read" },
  E052: { kind: "input", title: "the evaluations cannot be ranked together" },
  E060: { kind: "input", title: "an input is missing" },
  E061: { kind: "input", title: "no such input" },
  E062: { kind: "input", title: "wrong element type" },
  E063: { kind: "input", title: "wrong shape" },
  E064: { kind: "usage", title: "the target does not fit the model" },
  E065: { kind: "usage", title: "the runtime is not installed" },
  E066: { kind: "unsupported", title: "the runtime refuses the model" },
  E067: { kind: "input", title: "the run failed" },
  E068: { kind: "usage", title: "the explainer is closed" },
  E069: { kind: "internal", title: "internal: the thread that runs the model ended" },
  E070: { kind: "input", title: "the model cannot be read" },
  E071: { kind: "usage", title: "cancelled" },
  E072: { kind: "input", title: "an input has values that are not finite" },
  E073: { kind: "input", title: "the model's answer is not finite" },
  E074: { kind: "usage", title: "an input of the model is not understood" },
  E075: { kind: "unsupported", title: "an input of whole numbers has no gradient" },
  E076: { kind: "usage", title: "the output folder is in use" },
  E077: { kind: "input", title: "the operating system refused" },
  // What is around a model: the command line, files, folders, labels, the Hub.
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
  E093: { kind: "input", title: "the picture cannot be prepared or drawn" },
  E097: { kind: "input", title: "the data cannot be used" },
  E098: { kind: "internal", title: "a worker of the evaluation died" },
  // Our own mistakes.
  E090: { kind: "internal", title: "internal: invariant broken" },
} as const satisfies Record<string, { kind: DiagnosticKind; title: string }>;

export type DiagnosticCode = keyof typeof CATALOGUE;

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly kind: DiagnosticKind;
  readonly title: string;
  /** The place: a node, an input, a file. */
  readonly at?: string;
  readonly why?: string;
  readonly try?: string;
  /** Name of the ONNX node, where there is one. */
  readonly node?: string;
}

/** A diagnostic of the catalogue; `subject` (an operator, a name) ends its title. */
export function diagnostic(
  code: DiagnosticCode,
  subject: string,
  details: { at?: string; why?: string; try?: string; node?: string } = {},
): Diagnostic {
  const { kind, title } = CATALOGUE[code];
  return { code, kind, title: subject === "" ? title.replace(/:$/, "") : `${title} ${subject}`, ...details };
}

export function formatDiagnostic(d: Diagnostic): string {
  const lines = [`${d.code} ${d.title}`];
  if (d.at !== undefined) lines.push(`  at    ${d.at}`);
  if (d.why !== undefined) lines.push(`  why   ${d.why}`);
  if (d.try !== undefined) lines.push(`  try   ${d.try}`);
  return lines.join("\n");
}

/** Thrown at the public surface; carries every diagnostic that was found, not only the first. */
export class VitrailError extends Error {
  override readonly name = "VitrailError";
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[], options?: ErrorOptions) {
    super(diagnostics.map(formatDiagnostic).join("\n"), options);
    this.diagnostics = diagnostics;
  }
}

/** The text of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim();

export function fail(...args: Parameters<typeof diagnostic>): never {
  throw new VitrailError([diagnostic(...args)]);
}
