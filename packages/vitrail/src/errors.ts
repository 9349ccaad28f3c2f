/**
 * Every problem that Vitrail can report. A diagnostic says what, where, why and what to try; several are reported together.
 *
 *     E021 no gradient for operator NonMaxSuppression
 *       at    node "/head/NonMaxSuppression"
 *       why   the target depends on it, and it is not differentiable
 *       try   compile(model, { output: "class_logits" })
 */
export type DiagnosticKind = "unsupported" | "usage" | "input" | "internal";

const CATALOGUE = {
  E001: { kind: "input", title: "not an ONNX model" },
  E002: { kind: "input", title: "external data is missing or unsafe" },
  E010: { kind: "usage", title: "unknown method" },
  E011: { kind: "usage", title: "unknown option" },
  E012: { kind: "usage", title: "no such output" },
  E013: { kind: "usage", title: "no such input" },
  E014: { kind: "usage", title: "read-out not understood" },
  E015: { kind: "usage", title: "target does not fit" },
  E020: { kind: "unsupported", title: "unknown operator" },
  E021: { kind: "unsupported", title: "no gradient for operator" },
  E022: { kind: "unsupported", title: "no relevance rule for operator" },
  E023: { kind: "unsupported", title: "control flow cannot be resolved" },
  E024: { kind: "unsupported", title: "shape cannot be inferred" },
  E025: { kind: "unsupported", title: "operator used in a way that is not covered" },
  E030: { kind: "unsupported", title: "no attention found" },
  E031: { kind: "unsupported", title: "token layout not understood" },
  E032: { kind: "unsupported", title: "nothing to explain" },
  E033: { kind: "unsupported", title: "decoder with a cache" },
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
  return { code, kind, title: subject === "" ? title : `${title} ${subject}`, ...details };
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
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(formatDiagnostic).join("\n"));
    this.diagnostics = diagnostics;
  }
}

export function fail(...args: Parameters<typeof diagnostic>): never {
  throw new VitrailError([diagnostic(...args)]);
}
