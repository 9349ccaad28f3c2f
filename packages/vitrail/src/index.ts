/** The compiler's public surface: no runtime, no DOM, no Node. */
export { compile, type Program } from "./compile.js";
export type { GraphText, NodeText } from "./emit/graph-text.js";
export { parseGraph } from "./emit/parse.js";
export {
  type Diagnostic,
  type DiagnosticCode,
  diagnostic,
  formatDiagnostic,
  messageOf,
  VitrailError,
} from "./errors.js";
export type { Finding } from "./evidence.js";
export { inspect } from "./inspect.js";
export { type Metadata, originalBytes, readMetadata } from "./metadata.js";
export type { Method, MethodOption, OptionValue, OptionValues } from "./methods/method.js";
export { builtMethods, methods } from "./methods/registry.js";
export { SUM_OF_64, saturatingWeights, saturationProbe } from "./ops/saturation.js";
export { type CompileOptions, findMethod } from "./options.js";
export type { Report, SiteReport, ValueReport } from "./report.js";
export type { TargetMode } from "./seed.js";
export type { ElementType } from "./tensor/element-type.js";
export { type Pooling, poolings, type VectorOptions, type WithVector, withVector } from "./vector.js";
export { version } from "./version.js";
export { readWeights, replaceWeights, type Weight, type Weights } from "./weights.js";
