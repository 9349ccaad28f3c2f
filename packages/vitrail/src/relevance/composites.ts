/** Table 2: role -> rule. A composite is a method's whole theory of relevance, readable in one glance. */
import type { Role } from "../ops/operator.js";
import {
  balanceBranches,
  boundedPicture,
  gradientTimesInput,
  halves,
  identity,
  productRule,
  type RelevanceRule,
  route,
  shareWithConstant,
  zPlus,
  zPlusApart,
} from "./rules.js";

export type Composite = Readonly<Record<Role, RelevanceRule | "stop">>;

/** Chefer, Gur & Wolf, CVPR 2021 (the authors' layers_ours.py), with conventions for what the paper does not cover. */
export const chefer2021 = {
  linear: zPlus(),
  bilinear: productRule(0.5),
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

/**
 * The baseline that the paper compares with (the authors' layers_lrp.py, for LRP and partial LRP): both halves of z+ have a
 * denominator of their own, additions are not rescaled, what position embeddings got is dropped, the picture is bounded.
 */
export const lrp2021 = {
  ...chefer2021,
  linear: boundedPicture(zPlusApart()),
  add: gradientTimesInput(),
  affine: shareWithConstant(gradientTimesInput()),
} satisfies Composite;

/** The rules of the method itself, down to the pixels: one denominator, normalised additions, positions among them. */
export const chefer2021Input = {
  ...chefer2021,
  linear: boundedPicture(zPlus()),
  affine: shareWithConstant(balanceBranches()),
} satisfies Composite;
