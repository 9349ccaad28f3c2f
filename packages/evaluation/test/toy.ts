import type { Case, Explainer, Model, Subject } from "../src/index.js";

/** A vector whose entries are the units; a removed entry is 0. */
export function vectorSubject(values: readonly number[], grid?: readonly [number, number]): Subject<Float32Array> {
  const input = Float32Array.from(values);
  return {
    input,
    units: values.length,
    without: (gone) => input.map((value, i) => (gone[i] ? 0 : value)),
    noisy: (radius, random) => input.map((value) => value + radius * (2 * random.next() - 1)),
    ...(grid && { grid }),
  };
}

/** logits = W x, and a count of the forwards. */
export function linearModel(weights: readonly (readonly number[])[], activation: "softmax" | "sigmoid" = "softmax") {
  const counter = { inputs: 0, calls: 0 };
  const model: Model<Float32Array> = {
    activation,
    async predict(batch) {
      counter.inputs += batch.length;
      counter.calls++;
      return batch.map((x) => Float32Array.from(weights, (row) => row.reduce((total, w, i) => total + w * x[i]!, 0)));
    },
  };
  return { model, counter };
}

/** Weight times input: the exact explanation of a linear model. */
export const exact = (weights: readonly (readonly number[])[]): Explainer<Float32Array> => ({
  id: "exact",
  explain: async (input, target) => input.map((value, i) => weights[target]![i]! * value),
});

export const fixed = (id: string, values: readonly number[]): Explainer<Float32Array> => ({
  id,
  explain: async () => Float32Array.from(values),
});

export const caseOf = (subject: Subject<Float32Array>, more: Partial<Case<Float32Array>> = {}): Case<Float32Array> => ({
  id: "case",
  subject,
  target: 0,
  label: 0,
  ...more,
});
