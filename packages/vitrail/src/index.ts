/** The compiler's public surface: no runtime, no DOM, no Node. */
export { compile, type Program } from "./compile.js";
export type { GraphText, NodeText } from "./emit/text/graph-text.js";
export { parseGraph } from "./emit/text/parse.js";
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
export type { Value } from "./ir/graph.js";
export { type Metadata, originalBytes, readMetadata } from "./metadata.js";
export {
  type BuiltMethod,
  defineMethod,
  type Explained,
  type Method,
  type MethodContext,
  type MethodOption,
  type OptionValue,
  type OptionValues,
  type SiteView,
} from "./methods/method.js";
export { builtMethods, methods } from "./methods/registry.js";
export type { Builder } from "./ops/builder.js";
export { defineOp, type GradientContext, type InferContext, type Operator, type Role } from "./ops/operator.js";
export { SUM_OF_64, saturatingWeights, saturationProbe } from "./ops/saturation.js";
export { type CompileOptions, findMethod } from "./options.js";
export type { Composite } from "./relevance/composites.js";
export * as composites from "./relevance/composites.js";
export type { RelevanceRule, RuleContext } from "./relevance/rules.js";
export * as rules from "./relevance/rules.js";
export type { Report, SiteReport, ValueReport } from "./report.js";
export type { TargetMode } from "./seed.js";
export type { ElementType } from "./tensor/element-type.js";
export { type Pooling, poolings, type VectorOptions, type WithVector, withVector } from "./vector.js";
export { version } from "./version.js";
export { readWeights, replaceWeights, type Weight, type Weights } from "./weights.js";
