/** A program that gives A, its gradient and its relevance at every site, one after another, in place of a map. */
import { analyse, explainedOutput } from "../../src/analysis.js";
import { importModel } from "../../src/canonicalize/import.js";
import { settleSoftmax } from "../../src/canonicalize/softmax.js";
import { writePatch } from "../../src/emit/patch.js";
import { explain } from "../../src/explain.js";
import type { BuiltMethod } from "../../src/methods/method.js";
import { transformerAttribution } from "../../src/methods/transformer-attribution.js";
import { readModel } from "../../src/onnx/model.js";
import { seedOf, targetInput } from "../../src/seed.js";

const everyBlock: BuiltMethod = {
  ...transformerAttribution,
  id: "every-block",
  build: ({ b, analysis, view }) => {
    const flat = analysis.sites.flatMap((site) => {
      const { weights, gradient, relevance } = view(site);
      return [weights, gradient, relevance].map((v) => b.emit("Reshape", [v, b.ints([-1])]));
    });
    return { relevance: b.concat(flat, 0), sites: analysis.sites };
  },
};

export function blockProgram(model: Uint8Array): { readonly sites: number; readonly bytes: Uint8Array } {
  const graph = importModel(readModel(model));
  const b = graph.builder;
  settleSoftmax(b);
  const analysis = analyse(graph, explainedOutput(graph, {}), {});
  const target = targetInput(b, "index", analysis.output)!;
  const { relevance } = explain(analysis, everyBlock, {}, seedOf(b, "index", analysis.output, target));
  const patch = writePatch({
    b,
    taken: graph.names,
    inputs: [{ name: "target", value: target }],
    outputs: [{ name: "relevance", value: relevance }],
    metadata: {},
    irVersion: 8n,
  });
  const bytes = new Uint8Array(model.length + patch.bytes.length);
  bytes.set(model);
  bytes.set(patch.bytes, model.length);
  return { sites: analysis.sites.length, bytes };
}
