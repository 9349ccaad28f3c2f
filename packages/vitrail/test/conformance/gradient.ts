/** The emitted gradient of a model's outputs, as a program with one more input per output: its cotangent. */
import { importModel } from "../../src/canonicalize/import.js";
import { writePatch } from "../../src/emit/patch.js";
import { gradientStep, pullBack } from "../../src/gradient/reverse.js";
import type { Value } from "../../src/ir/graph.js";
import { lift } from "../../src/lift/lift.js";
import { readModel } from "../../src/onnx/model.js";
import { severalOf } from "../../src/seed.js";

/**
 * The model with `d_<input>` for every wanted input: the cotangent `seed_<output>` pulled back through everything between.
 * @param several cotangents and gradients have a leading axis: several in one run
 * @throws VitrailError where a gradient is not covered
 */
export function gradientProgram(
  model: Uint8Array,
  output: string,
  wanted: readonly string[],
  several = false,
): Uint8Array {
  const graph = importModel(readModel(model));
  const b = graph.builder;
  const y = graph.outputs.get(output)!;
  const seed = b.value(b.real, y.shape);
  const inputs = wanted.map((name) => graph.inputs.get(name)!);
  const found = pullBack(b, { name: "gradient", output: y, seed, wanted: new Set(inputs), step: gradientStep(b) });
  const seeds = several ? severalOf(b, seed) : seed;
  const pulled = (v: Value) => (several ? lift(b, found.get(v)!, seed, seeds) : found.get(v)!);
  // Equal gradients of two inputs are one value; each output needs a node of its own.
  b.pass = "output";
  const own = (v: Value) => b.node("Identity", [v], {}, 1)[0]!;
  const outputs = wanted.map((name, i) => ({ name: `d_${name}`, value: own(pulled(inputs[i]!)) }));
  const patch = writePatch({
    b,
    taken: graph.names,
    inputs: [{ name: `seed_${output}`, value: seeds }],
    outputs,
    metadata: {},
    irVersion: 8n,
  });
  return Uint8Array.of(...model, ...patch.bytes);
}
