/** The printed form against what it was printed from. */
import { fromBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import type { ModelGraph } from "../../src/canonicalize/model-graph.js";
import type { Program } from "../../src/compile.js";
import {
  attributeOf,
  describeGraph,
  type NodeText,
  type Numeral,
  type ValueName,
} from "../../src/emit/text/graph-text.js";
import { parseGraph } from "../../src/emit/text/parse.js";
import { formatGraph, printGraph } from "../../src/emit/text/print.js";
import { readAttributes } from "../../src/ir/attribute-proto.js";
import { ModelProtoSchema, type NodeProto } from "../../src/onnx/generated/onnx_pb.js";
import { readTensor } from "../../src/onnx/tensor-proto.js";
import { readNumbers, saturate } from "../../src/tensor/tensor.js";

/** What is read back is the graph, and prints as the same text. */
export function readsBack(graph: ModelGraph): void {
  const text = printGraph(graph);
  const found = parseGraph(text);
  expect(found).toEqual(describeGraph(graph));
  expect(formatGraph(found)).toBe(text);
}

/** The added nodes that are read back are those in the bytes of the patch: operators, inputs, constants, attributes. */
export function printsItsPatch({ report, patch }: Pick<Program, "report" | "patch">): void {
  const text = report.print();
  const found = parseGraph(text);
  expect(formatGraph(found)).toBe(text);
  const { node: written, initializer } = fromBinary(ModelProtoSchema, patch).graph!;
  const printed = found.nodes.filter(({ pass }) => pass !== "");
  const constants = new Map(initializer.map((t) => [t.name, readTensor(t)]));
  const inPrint = new Map<string, ValueName>();
  for (const [i, { output }] of written.entries())
    for (const [k, name] of output.entries()) inPrint.set(name, printed[i]!.outputs[k]!.name);
  expect(printed.map(withoutTypes)).toEqual(written.map(asPrinted));

  function asPrinted(node: NodeProto) {
    return {
      operator: node.domain === "" ? node.opType : `${node.domain}::${node.opType}`,
      inputs: node.input.map((name) => {
        const constant = constants.get(name);
        if (constant) return { dims: constant.dims, values: readNumbers(constant, 8) ?? "a digest" };
        return name === "" ? undefined : (inPrint.get(name) ?? name);
      }),
      outputs: node.output.map((name) => inPrint.get(name)),
      attributes: Object.fromEntries(
        Object.entries(readAttributes(node.attribute)).map(([name, value]) => [name, attributeOf(value)]),
      ),
    };
  }
}

const withoutTypes = ({ operator, inputs, outputs, attributes }: NodeText) => ({
  operator,
  inputs: inputs.map((i) =>
    typeof i === "object" ? { dims: i.dims, values: i.values?.map(asNumber) ?? "a digest" } : i,
  ),
  outputs: outputs.map(({ name }) => name),
  attributes,
});

const asNumber = (x: Numeral): number => (typeof x === "bigint" ? saturate(x) : x);
