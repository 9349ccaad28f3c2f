/** Some files list nodes out of order (float16 converters, quantisers): a stable topological sort of NodeProtos. */
import { fail } from "../errors.js";
import type { GraphProto, NodeProto } from "../onnx/generated/onnx_pb.js";

/** Names that a node needs, those that its sub-graphs capture from outside included. */
export function neededNames(node: NodeProto): string[] {
  const captured = node.attribute.flatMap((a) => (a.g ? capturedNames(a.g) : []));
  return [...node.input.filter((name) => name !== ""), ...captured];
}

function capturedNames(graph: GraphProto): string[] {
  const own = new Set([
    ...graph.initializer.map((i) => i.name),
    ...graph.input.map((i) => i.name),
    ...graph.node.flatMap((n) => n.output),
  ]);
  const used = [...graph.node.flatMap(neededNames), ...graph.output.map((o) => o.name)];
  return used.filter((name) => !own.has(name));
}

export function sortNodes(nodes: readonly NodeProto[], known: ReadonlySet<string>): NodeProto[] {
  const producer = new Map(nodes.flatMap((n) => n.output.map((name) => [name, n] as const)));
  const sorted: NodeProto[] = [];
  const state = new Map<NodeProto, "open" | "done">();
  for (const root of nodes) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!;
      if (state.get(node) === "done") {
        stack.pop();
        continue;
      }
      const waiting = [];
      for (const name of neededNames(node)) {
        const from = producer.get(name);
        if (!from && !known.has(name))
          fail("E001", "", { at: `node "${node.name}"`, why: `its input "${name}" is computed nowhere` });
        if (from && state.get(from) !== "done") waiting.push(from);
      }
      if (waiting.length > 0 && state.get(node) === "open")
        fail("E001", "", { at: `node "${node.name}"`, why: "the graph has a cycle there" });
      state.set(node, "open");
      if (waiting.length === 0) {
        state.set(node, "done");
        sorted.push(node);
        stack.pop();
      } else for (const w of waiting) if (w !== node) stack.push(w);
    }
  }
  return sorted;
}
