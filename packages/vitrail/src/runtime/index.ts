/** What `vitrail/node` and `vitrail/web` share. */
export { type Region, seenRegion } from "../flow/field.js";
export type { AxisName } from "../flow/output.js";
export { type Patches, patchGrid } from "../flow/patches.js";
export {
  type DocumentMap,
  type DocumentTarget,
  type DocumentToken,
  documentMap,
  type ExplanationDocument,
  schema,
  shortest,
  valueMap,
} from "./document.js";
export { type Execution, type ExecutionOptions, executionOf, type Int8, type Optimisation } from "./execution.js";
export { classCount, type Explainer, type ExplainOptions, explainerOver } from "./explainer.js";
export { Explanation, type Grid, pictureAxes } from "./explanation.js";
export { type Classes, classNamed, fitLabels, type Labels, labelList } from "./labels.js";
export type { Findings } from "./load.js";
export { editDistance, nearest } from "./near.js";
export { type Beside, type Reading, readingOf, scoresFrom, sharesOf } from "./reading.js";
export type { NativeSession, Part, Session } from "./session.js";
export type { Stability } from "./stability.js";
export { axesOf, classPosition, type Index, type NamedTarget, type Target } from "./target.js";
export { type Feeds, fromFloat32, type Outputs, type Tensor, type TypedArray, tensor, toFloat32 } from "./tensor.js";
