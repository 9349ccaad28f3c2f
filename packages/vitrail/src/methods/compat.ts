/**
 * Which sums the normalised addition of Chefer et al. 2021 takes: this product's are per sample, so that a result never depends on the
 * other samples of its batch; the authors' code sums over the whole tensor, batch included (layers_ours.py, Add.relprop).
 */
import type { MethodOption, OptionValues } from "./method.js";

export const compat: MethodOption = {
  name: "compat",
  type: "string",
  default: "none",
  choices: ["none", "reference"],
  description:
    "whose sums the normalised additions take: each sample's, or with \"reference\" the whole batch's as in the authors' code; for batches of one the same",
};

export const wholeBatch = (options: OptionValues): boolean => options.compat === "reference";
