/** Table 2: role -> rule. A composite is a method's whole theory of relevance, readable in one glance. */
import type { Role } from "../ops/operator.js";
import {
  balanceBranches,
  gradientTimesInput,
  halves,
  identity,
  productRule,
  type RelevanceRule,
  route,
  scaled,
  zPlus,
} from "./rules.js";

export type Composite = Readonly<Record<Role, RelevanceRule | "stop">>;

/** Chefer, Gur & Wolf, CVPR 2021 (the authors' layers_ours.py), with conventions for what the paper does not cover. */
export const chefer2021 = {
  linear: zPlus(),
  bilinear: scaled(0.5, productRule()),
  add: balanceBranches(),
  gate: halves(),
  affine: identity(),
  elementwise: identity(),
  softmax: identity(),
  normalization: identity(),
  movement: route(),
  mean: gradientTimesInput(),
  rotary: gradientTimesInput(),
  opaque: "stop",
} satisfies Composite;
