import { type Reading, sharesOf } from "vitrail/node";

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
  reading: Pick<Reading, "kind"> = { kind: "exclusive" },
  labels?: readonly string[] | ((index: number) => string | undefined),
): Scored[] {
  const shares = sharesOf(logits, reading);
  return Array.from(logits, (logit, index) => {
    const scored = { index, logit, probability: shares?.[index] };
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

export const nameOf = ({ index, label }: { index: number; label?: string | null | undefined }): string =>
  label ?? `class ${index}`;

/** A share in percent; only what is certain is called 0 or 100. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  return share < 1 && share >= 0.9995 ? ">99.9 %" : `${(share * 100).toFixed(1)} %`;
}
