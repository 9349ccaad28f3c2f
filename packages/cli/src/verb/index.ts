import { benchVerb } from "./bench.js";
import { compareVerb } from "./compare.js";
import { compileVerb } from "./compile.js";
import { completionVerb } from "./completion.js";
import { diffVerb } from "./diff.js";
import { doctorVerb } from "./doctor.js";
import { evaluateVerb } from "./evaluate.js";
import { explainVerb } from "./explain.js";
import { inspectVerb } from "./inspect.js";
import { methodsVerb } from "./methods.js";
import { rankVerb } from "./rank.js";
import type { AddVerb } from "./verb.js";

export type { RunVerb } from "./verb.js";

export const verbs: readonly AddVerb[] = [
  explainVerb,
  compareVerb,
  evaluateVerb,
  diffVerb,
  rankVerb,
  compileVerb,
  inspectVerb,
  benchVerb,
  methodsVerb,
  doctorVerb,
  completionVerb,
];
