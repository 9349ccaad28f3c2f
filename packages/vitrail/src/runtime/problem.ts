import { type Diagnostic, type DiagnosticCode, VitrailError } from "../errors.js";

/** Problems that only show when a model is run: what was fed, which class was asked for, what the runtime said. */
const CATALOGUE = {
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
} as const satisfies Record<string, { kind: Diagnostic["kind"]; title: string }>;

export type ProblemCode = keyof typeof CATALOGUE;

export function problem(code: ProblemCode, details: { at?: string; why: string; try: string }): Diagnostic {
  return { ...CATALOGUE[code], code: code as string as DiagnosticCode, ...details };
}

export const failure = (...problems: readonly Diagnostic[]): VitrailError => new VitrailError(problems);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim();
