/**
 * A model and a patch as something to run, not to keep: of the outputs only the patch's own, and only the nodes that lead to them. A
 * runtime leaves nothing out by itself, and would compute the model's forward pass beside a copy of it.
 */
import { neededNames } from "../canonicalize/sort.js";
import type { NodeProto } from "../onnx/generated/onnx_pb.js";
import { mergeModel, readModel, writeModel } from "../onnx/model.js";

export function programOf(original: Uint8Array, patch: Uint8Array): Uint8Array {
  const model = readModel(original);
  const own = new Set(model.graph!.output.map(({ name }) => name));
  mergeModel(model, patch);
  const graph = model.graph!;
  graph.output = graph.output.filter(({ name }) => !own.has(name));
  const needed = neededFor(
    graph.output.map(({ name }) => name),
    graph.node,
  );
  graph.node = graph.node.filter((node) => needed.has(node));
  return writeModel(model);
}

function neededFor(names: string[], nodes: readonly NodeProto[]): Set<NodeProto> {
  const makers = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const needed = new Set<NodeProto>();
  while (names.length > 0) {
    const node = makers.get(names.pop()!);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    names.push(...neededNames(node));
  }
  return needed;
}
