/** A sample as a one-node model with numbers to feed it. */
import { ModelWriter } from "../../../../test/support/model.js";
import { random, seedFrom } from "../../../../test/support/random.js";
import { type Arrays, array } from "../../../../test/support/runtime.js";
import { isFloat } from "../../src/tensor/element-type.js";
import { elementCount, tensorOf } from "../../src/tensor/tensor.js";
import type { Operand, Sample } from "./sample.js";

export type RealType = "float32" | "float64";

export interface NodeModel {
  readonly bytes: Uint8Array;
  readonly feeds: Arrays;
  /** Graph inputs that are differentiated. */
  readonly data: readonly string[];
  readonly outputs: readonly string[];
  /** What the symbols of a symbolic model stand for. */
  readonly symbols: Readonly<Record<string, number>>;
}

export interface Form {
  readonly operator: string;
  readonly sample: Sample;
  readonly opset: number;
  readonly real: RealType;
  readonly symbolic: boolean;
}

export function nodeModel({ operator, sample, opset, real, symbolic }: Form): NodeModel {
  const writer = new ModelWriter({ opset });
  const feeds: Record<string, Arrays[string]> = {};
  const symbols: Record<string, number> = {};
  const data: string[] = [];
  const names = sample.inputs.map((operand, i) => {
    if (!operand) return undefined;
    const type = operand.type ?? real;
    const values = operand.values ?? draw(operand, seedFrom(`${operator} ${sample.title ?? ""} ${i}`));
    if (operand.kind === "weight" || operand.kind === "constant")
      return writer.constant(tensorOf(type, values, operand.dims), `w${i}`);
    const name = `x${i}`;
    feeds[name] = array(type, values, operand.dims);
    if (operand.kind === "data") data.push(name);
    const dims = operand.dims.map((d, axis) => {
      if (!symbolic || d <= 1 || operand.fixed?.includes(axis)) return d;
      symbols[`d${d}`] = d;
      return `d${d}`;
    });
    return writer.input(name, type, dims);
  });
  // A model is computed in float64 where all of its float constants are.
  if (real === "float64") writer.constant(tensorOf("float64", 1), "unused");
  const outputs = writer.ops(
    operator,
    names,
    sample.attributes,
    Array.from({ length: sample.outputs ?? 1 }, (_, i) => `y${i}`),
  );
  for (const name of outputs) writer.output(name);
  return { bytes: writer.bytes(), feeds, data, outputs, symbols };
}

/** Magnitudes from 0.4 to 1.6 keep away from the kinks at 0. */
function draw({ dims, type, low = 0.4, high = 1.6, positive }: Operand, seed: number): number[] {
  const { uniform } = random(seed);
  const whole = type !== undefined && !isFloat(type);
  return Array.from({ length: elementCount(dims) }, () => {
    const magnitude = low + (high - low) * uniform();
    const signed = positive || uniform() < 0.5 ? magnitude : -magnitude;
    return whole ? Math.round(signed) : signed;
  });
}
