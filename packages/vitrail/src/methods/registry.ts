/** Table 3, complete. Menus, CLI choices and README tables are made from this list, in this order. */
import { attentionGradCam } from "./attention-grad-cam.js";
import { attentionRollout } from "./attention-rollout.js";
import { attnLrp } from "./attn-lrp.js";
import { cpLrp } from "./cp-lrp.js";
import { genericAttention } from "./generic-attention.js";
import { gradientTimesInputMethod } from "./gradient-x-input.js";
import { integratedGradients } from "./integrated-gradients.js";
import { leGrad } from "./le-grad.js";
import { libraGrad } from "./libra-grad.js";
import { lrp } from "./lrp.js";
import { type BuiltMethod, isBuilt, type Method } from "./method.js";
import { occlusion } from "./occlusion.js";
import { partialLrp } from "./partial-lrp.js";
import { randomMethod } from "./random.js";
import { rawAttention } from "./raw-attention.js";
import { resLrp } from "./res-lrp.js";
import { rise } from "./rise.js";
import { smoothGrad } from "./smooth-grad.js";
import { transformerAttribution } from "./transformer-attribution.js";
import { vitReciproCam } from "./vit-recipro-cam.js";

export const methods: readonly Method[] = [
  transformerAttribution,
  genericAttention,
  attentionRollout,
  rawAttention,
  attentionGradCam,
  partialLrp,
  lrp,
  gradientTimesInputMethod,
  integratedGradients,
  smoothGrad,
  cpLrp,
  attnLrp,
  resLrp,
  libraGrad,
  leGrad,
  vitReciproCam,
  occlusion,
  rise,
  randomMethod,
];

/** Those that a file can hold. */
export const builtMethods: readonly BuiltMethod[] = methods.filter(isBuilt);
