import type { ModelConfig } from "../model/folder.js";

export interface Scored {
  index: number;
  label: string | undefined;
  logit: number;
  /** Undefined for regression. */
  probability: number | undefined;
}

/** Scores of all classes of one sample. Labels may be made when they are asked for: a vocabulary has many. */
export function score(
  logits: ArrayLike<number>,
  config?: ModelConfig,
  labels?: readonly string[] | ((index: number) => string),
): Scored[] {
  const values = Array.from(logits);
  const probabilities = probabilitiesOf(values, config?.problem_type);
  return values.map((logit, index) => {
    const scored = { index, logit, probability: probabilities?.[index] };
    if (typeof labels !== "function") return { ...scored, label: labels?.[index] };
    return {
      ...scored,
      get label() {
        return labels(index);
      },
    };
  });
}

/** Highest first; equal scores keep their order. */
export const ranked = (scores: readonly Scored[]): Scored[] => [...scores].sort((a, b) => b.logit - a.logit);

function probabilitiesOf(logits: readonly number[], problemType: string | null | undefined): number[] | undefined {
  if (problemType === "regression") return undefined;
  if (problemType === "multi_label_classification") return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  if (logits.length === 1) return undefined;
  const max = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(logit - max));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export const nameOf = ({ index, label }: { index: number; label?: string | null | undefined }): string =>
  label ?? `class ${index}`;

/** A share in percent; only what is certain is called 0 or 100. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  return share < 1 && share >= 0.9995 ? ">99.9 %" : `${(share * 100).toFixed(1)} %`;
}
