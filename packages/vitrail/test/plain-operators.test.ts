/** Patches keep to what every evaluator runs: a Pad that crops (a negative amount) is a Slice instead. */
import { expect, test } from "vitest";
import { compile } from "../src/compile.js";
import { readModel } from "../src/onnx/model.js";
import { readTensor } from "../src/onnx/tensor-proto.js";
import { readNumbers } from "../src/tensor/tensor.js";
import { fileOf } from "./collection/collection.js";

/** Shifts, merging by steps of two, strides that leave a remainder, and a window's padding that only the run time knows. */
const FILES = ["swin/dynamo-op18-eager.onnx", "swinv2/dynamo-op18-eager.onnx", "segformer/ts-op17-eager.onnx"];

for (const file of FILES)
  for (const method of ["transformer-attribution", "gradient-x-input"])
    test(`${file}, ${method}`, () => {
      const graph = readModel(compile(fileOf(file), { method }).bytes).graph!;
      const added = graph.node.filter((n) => n.name.startsWith("vitrail/"));
      const constants = new Map(graph.initializer.map((t) => [t.name, t]));
      const pads = added.filter((n) => n.opType === "Pad").flatMap((n) => constants.get(n.input[1]!) ?? []);
      for (const t of pads) expect(Math.min(...readNumbers(readTensor(t))!), t.name).toBeGreaterThanOrEqual(0);
      // An amount that is negated at run time would be one too.
      const negations = added.filter(
        (n) => n.opType === "Mul" && n.input.some((name) => isMinusOne(constants.get(name))),
      );
      const negated = new Set(negations.flatMap((n) => n.output));
      for (const n of added) if (n.opType === "Pad") expect(negated.has(n.input[1]!), n.name).toBe(false);
    });

function isMinusOne(t: Parameters<typeof readTensor>[0] | undefined): boolean {
  return t?.dataType === 7 && readNumbers(readTensor(t))!.every((x) => x === -1);
}
