/**
 * How the numbers of an explained output are read, in one place for all: scores z, and the share p of each class,
 *
 *     classes that exclude each other   p = softmax(z),       z = log p (up to a constant that all classes share)
 *     each class by itself              p = 1 / (1 + e^-z),   z = log p - log(1 - p)
 *     a value                           no share
 *
 * What the file gives may be z, p or log p (`metadata.activation`): its own shares are taken, never the shares of shares.
 */
import type { Metadata } from "../metadata.js";

export interface Reading {
  readonly kind: "exclusive" | "independent" | "value";
  readonly given: "scores" | "shares" | "log shares";
}

/** What is known beside the model: transformers' `problem_type`, the labels, and how many classes the output has. */
export interface Beside {
  readonly problemType?: string | null | undefined;
  readonly labels?: number | undefined;
  readonly classes?: number | undefined;
}

export function readingOf({ activation }: Pick<Metadata, "activation">, beside: Beside = {}): Reading {
  if (activation) {
    const given = activation.function.startsWith("log-") ? "log shares" : "shares";
    return { kind: activation.exclusive ? "exclusive" : "independent", given };
  }
  return { kind: kindOf(beside), given: "scores" };
}

/** A single score with two labels decides between them; without, it is a number. */
function kindOf({ problemType, labels, classes }: Beside): Reading["kind"] {
  if (problemType === "regression") return "value";
  if (problemType === "multi_label_classification") return "independent";
  if (classes === 1) return labels === 2 ? "independent" : "value";
  return "exclusive";
}

/** Beyond these float32 has 0 and 1. */
const [LEAST, MOST] = [2 ** -149, 1 - 2 ** -25];

/** z of what the file gives; of a sure class as large as float32 can tell. */
export function scoresFrom(values: Float32Array, { kind, given }: Reading): Float32Array {
  if (given === "scores") return values;
  const share = given === "shares" ? (v: number) => v : Math.exp;
  if (kind === "exclusive") return given === "log shares" ? values : values.map((p) => Math.log(Math.max(p, LEAST)));
  return values.map((v) => {
    const p = Math.min(MOST, Math.max(LEAST, share(v)));
    return Math.log(p) - Math.log1p(-p);
  });
}

/** p of scores; undefined for values, and for a class that is alone: it shares with none. */
export function sharesOf(scores: ArrayLike<number>, { kind }: Pick<Reading, "kind">): number[] | undefined {
  const z = Array.from(scores);
  if (kind === "value" || (kind === "exclusive" && z.length === 1)) return undefined;
  if (kind === "independent") return z.map((score) => 1 / (1 + Math.exp(-score)));
  const max = z.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const powers = z.map((score) => Math.exp(score - max));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
