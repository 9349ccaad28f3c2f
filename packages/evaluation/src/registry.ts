/** The one list of metrics: menus, command-line choices, tables and reports are made from it. */
import type { Metric, Options, OptionValue, Values } from "./metric.js";
import { resolveOptions } from "./metric.js";
import { aopc } from "./metrics/aopc.js";
import { arcc } from "./metrics/arcc.js";
import { auprc, averagePrecisionMetric } from "./metrics/average-precision.js";
import { completeness, conservation } from "./metrics/axiom.js";
import { classSensitivity, randomLogit } from "./metrics/class-sensitivity.js";
import { entropyMetric, giniMetric } from "./metrics/complexity.js";
import { memory, time } from "./metrics/cost.js";
import { deletion, insertion } from "./metrics/deletion.js";
import { energyInBoxes } from "./metrics/energy-in-boxes.js";
import { comprehensiveness, sufficiency } from "./metrics/eraser.js";
import { infidelity, infidelityNormalised } from "./metrics/infidelity.js";
import { intersectionOverUnion } from "./metrics/intersection-over-union.js";
import { iouF1Metric } from "./metrics/iou-f1.js";
import { irofPatches } from "./metrics/irof.js";
import { logOdds } from "./metrics/log-odds.js";
import { monotonicity } from "./metrics/monotonicity.js";
import { efficientMprt, smoothMprt } from "./metrics/mprt.js";
import { nonSensitivity } from "./metrics/non-sensitivity.js";
import { partDeletion, partSign } from "./metrics/parts.js";
import { negativePerturbation, positivePerturbation } from "./metrics/perturbation.js";
import { areaBetweenPerturbationCurves, symmetricRelevanceGain } from "./metrics/pixel-flipping.js";
import { pointingGameMetric } from "./metrics/pointing-game.js";
import { weightRandomisation } from "./metrics/randomisation.js";
import { relativeInputStability, relativeOutputStability } from "./metrics/relative-stability.js";
import { relevanceMassMetric, relevanceRankMetric } from "./metrics/relevance-mass.js";
import { road } from "./metrics/road.js";
import { maxSensitivity, noiseAgreement } from "./metrics/robustness.js";
import { rocAuc } from "./metrics/roc-auc.js";
import { saco } from "./metrics/saco.js";
import { mapAgreement, probabilityChange, sameDecision, topOverlap } from "./metrics/second-model.js";
import { segmentationAccuracy, segmentationIou, segmentationPrecision } from "./metrics/segmentation.js";
import { sensitivityN } from "./metrics/sensitivity-n.js";
import { tokenF1Gold, tokenF1Share } from "./metrics/token-f1.js";

export const metrics: readonly Metric[] = [
  positivePerturbation,
  negativePerturbation,
  deletion,
  insertion,
  symmetricRelevanceGain,
  areaBetweenPerturbationCurves,
  aopc,
  logOdds,
  comprehensiveness,
  sufficiency,
  sensitivityN,
  infidelity,
  infidelityNormalised,
  road,
  saco,
  monotonicity,
  irofPatches,
  nonSensitivity,
  arcc,
  partDeletion,
  partSign,
  segmentationAccuracy,
  segmentationPrecision,
  segmentationIou,
  pointingGameMetric,
  relevanceMassMetric,
  relevanceRankMetric,
  intersectionOverUnion,
  averagePrecisionMetric,
  rocAuc,
  energyInBoxes,
  tokenF1Gold,
  tokenF1Share,
  iouF1Metric,
  auprc,
  weightRandomisation,
  efficientMprt,
  smoothMprt,
  randomLogit,
  classSensitivity,
  maxSensitivity,
  noiseAgreement,
  relativeInputStability,
  relativeOutputStability,
  giniMetric,
  entropyMetric,
  completeness,
  conservation,
  sameDecision,
  probabilityChange,
  mapAgreement,
  topOverlap,
  time,
  memory,
];

/** Whether a chosen metric asks for the model with random layers. */
export const randomises = (name: string): boolean =>
  metrics.find(({ id }) => id === name.split(":")[0])?.needs.includes("randomised-model") ?? false;

/** A metric with its options fixed; `name` tells two settings of one metric apart. */
export interface ChosenMetric {
  readonly name: string;
  readonly metric: Metric;
  readonly options: Values<Options>;
}

/** Reads `deletion` or `deletion:fill=blur,score=logit`. The name lists the options that differ from the defaults. */
export function chooseMetric(text: string): ChosenMetric {
  const [id = "", settings = ""] = text.trim().split(/:(.*)/s);
  const metric = metrics.find((one) => one.id === id);
  if (!metric) throw new RangeError(`no metric "${id}"; choose from ${metrics.map((one) => one.id).join(", ")}`);
  const given: Record<string, OptionValue> = {};
  for (const setting of settings.split(",").filter(Boolean)) {
    const [key = "", value] = setting.split(/=(.*)/s);
    if (value === undefined) throw new RangeError(`metric "${id}": write options as key=value, not "${setting}"`);
    given[key.trim()] = value.trim();
  }
  const options = resolveOptions(metric.options, given);
  const changed = Object.entries(options).filter(([key, value]) => value !== metric.options[key]!.default);
  const suffix = changed.map(([key, value]) => `${key}=${value}`).join(",");
  return { name: suffix ? `${id}:${suffix}` : id, metric, options };
}
