/** Walks over the graph. Orders are by creation, which is topological because a node is made after its inputs. */
import { dataInputs, type Node, Value } from "./graph.js";

/** All nodes that the roots depend on through the given edges, in topological order. */
export function ancestors(
  roots: readonly Value[],
  edges: (node: Node) => readonly (Value | undefined)[] = (n) => n.inputs,
): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!.producer;
    if (!node || seen.has(node)) continue;
    seen.add(node);
    for (const input of edges(node)) if (input) stack.push(input);
  }
  return topological(seen);
}

/** Sorts nodes so that producers come first; creation order is not enough once a pass has replaced producers. */
export function topological(nodes: ReadonlySet<Node>): Node[] {
  const sorted: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  for (const root of [...nodes].sort((a, b) => a.order - b.order)) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!;
      if (state.get(node) === "done") {
        stack.pop();
        continue;
      }
      const waiting =
        state.get(node) === "open"
          ? []
          : node.inputs
              .map((v) => v?.producer)
              .filter((p): p is Node => p !== undefined && nodes.has(p) && state.get(p) !== "done");
      state.set(node, "open");
      if (waiting.length > 0) {
        for (const p of waiting) stack.push(p);
        continue;
      }
      state.set(node, "done");
      sorted.push(node);
      stack.pop();
    }
  }
  return sorted;
}

/** Values on a data path from `output` down to one of `wanted` (both ends included). */
export function livePaths(output: Value, wanted: ReadonlySet<Value>): Set<Value> {
  const live = new Set<Value>(wanted);
  for (const node of ancestors([output], dataInputs))
    if (dataInputs(node).some((v) => live.has(v))) for (const v of node.outputs) live.add(v);
  return live;
}

/**
 * The nearest single value that all of `from` are computed from, walking back only through nodes that `through` allows:
 * the latest value of the frontier is replaced by its data inputs until one remains. Undefined where the walk meets a node
 * that is not allowed. Finds units (a layer norm, a GELU) whatever their spelling (conventions: a norm or activation in primitive operators).
 */
export function dominator(
  from: readonly Value[],
  through: (node: Node) => boolean,
  position: (node: Node) => number,
): { value: Value; nodes: Node[] } | undefined {
  const frontier = new Set(from);
  const nodes: Node[] = [];
  while (frontier.size > 1) {
    let latest: Value | undefined;
    let at = -1;
    for (const v of frontier) {
      const p = v.producer ? position(v.producer) : -1;
      if (p >= at) [latest, at] = [v, p];
    }
    const node = latest instanceof Value ? latest.producer : undefined;
    if (!latest || !node || !through(node)) return undefined;
    frontier.delete(latest);
    nodes.push(node);
    for (const v of dataInputs(node)) frontier.add(v);
  }
  const [value] = frontier;
  return value ? { value, nodes } : undefined;
}
