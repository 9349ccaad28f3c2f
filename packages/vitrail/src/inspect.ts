/** What a model shows of itself, without compiling more than is needed to know whether it can be explained. */
import { analyse, explainedOutput } from "./analysis.js";
import { importModel } from "./canonicalize/import.js";
import { settleSoftmax } from "./canonicalize/softmax.js";
import { VitrailError } from "./errors.js";
import { guarded } from "./guard.js";
import { originalBytes } from "./metadata.js";
import { readModel } from "./onnx/model.js";
import type { CompileOptions } from "./options.js";
import { prepare } from "./prepare.js";
import { type Report, reportOf } from "./report.js";

/**
 * The report of a compilation (for methods of many runs, of what they run), or, where the model is not supported, what was found with the reasons as diagnostics.
 * @throws VitrailError where the bytes are no ONNX model
 */
export function inspect(model: Uint8Array, options: CompileOptions = {}): Report {
  try {
    return prepare(model, options).report;
  } catch (error) {
    if (!(error instanceof VitrailError) || error.diagnostics.some((d) => d.kind !== "unsupported")) throw error;
    const { output, from, explains, readout } = options;
    const chosen = { output, from, explains: typeof explains === "string" ? explains : explains?.[0], readout };
    const { diagnostics } = error;
    return guarded(() => reportOf({ ...found(model, options), chosen, diagnostics }));
  }
}

function found(model: Uint8Array, options: CompileOptions) {
  const graph = importModel(readModel(originalBytes(model)), options.operators);
  settleSoftmax(graph.builder);
  try {
    const { explains } = options;
    const chosen = { explains: typeof explains === "string" ? explains : explains?.[0] };
    return { graph, analysis: analyse(graph, explainedOutput(graph, options), chosen) };
  } catch {
    return { graph };
  }
}
