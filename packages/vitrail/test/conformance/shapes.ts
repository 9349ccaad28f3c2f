/** What the compiler says of a model's outputs against what the runtime computes. */
import { expect } from "vitest";
import { evaluate } from "../../../../test/support/dimension.js";
import type { NumberArray } from "../../../../test/support/runtime.js";
import { intsOf, numberOf, type Value } from "../../src/ir/graph.js";
import type { NodeModel } from "./node-model.js";
import type { Sample } from "./sample.js";

/** Type, rank and every known extent agree; extents may be unknown only where the sample says so. */
export function expectShape(
  value: Value,
  real: NumberArray,
  model: NodeModel,
  sample: Sample,
  symbolic: boolean,
): void {
  expect(value.type).toBe(real.type);
  const loose = sample.shape === "unknown" || (symbolic && sample.symbolic === "loose");
  if (!loose) expect(value.shape, "the rank is known").toBeDefined();
  const known = value.shape?.map((d) => evaluate(d, model.symbols));
  if (known) expect(loose ? known.map((d, i) => d ?? real.dims[i]) : known, `[${value.shape}]`).toEqual([...real.dims]);
}

/** Integers and numbers that the compiler folded are those that the runtime computes. */
export function expectFolded(value: Value, real: NumberArray, model: NodeModel, sample: Sample): void {
  const ints = intsOf(value);
  if (sample.folds) expect(ints, "the integers are known").toBeDefined();
  if (ints) {
    expect(ints.dims).toEqual([...real.dims]);
    for (const [i, entry] of ints.entries.entries()) {
      const known = evaluate(entry, model.symbols);
      if (known !== undefined) expect(known, `entry ${i}: ${entry}`).toBe(real.values[i]);
      else expect(sample.folds, `entry ${i}: ${entry} is not known`).toBeUndefined();
    }
  }
  const number = numberOf(value);
  if (number !== undefined && real.values.length === 1)
    expect(Math.abs(number - real.values[0]!)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(number)));
}
