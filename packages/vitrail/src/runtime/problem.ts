/** Problems that only show when a model is run: what was fed, which class was asked for, what the runtime said. */
import { type Diagnostic, type DiagnosticCode, diagnostic, VitrailError } from "../errors.js";

export { messageOf } from "../errors.js";

export const problem = (code: DiagnosticCode, details: { at?: string; why: string; try: string }): Diagnostic =>
  diagnostic(code, "", details);

export const failure = (...problems: readonly Diagnostic[]): VitrailError => new VitrailError(problems);
