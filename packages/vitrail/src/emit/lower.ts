/** Which nodes a patch needs, and what they look like in the model's operator set. */
import type { Node, Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";

export interface LoweredNode {
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Node["attributes"];
}

/**
 * Follows a value that is cheaper to compute in another way to the value that stands for it: one that reads what the file
 * computes. Where that is not visible (inside a fused operator), there is no other way.
 */
export function emitted(value: Value): Value {
  let v = value;
  for (;;) {
    if (v.name !== undefined) return v;
    const other = v.writtenAs ?? (v.emitAs && isNearFile(v.emitAs) ? v.emitAs : undefined);
    if (!other) return v;
    v = other;
  }
}

const CHEAP = new Set(["Add", "Sub", "Div", "Slice", "Cast", "Mul", "Squeeze", "Unsqueeze", "Reshape"]);

/** Visible, or computed from visible values by a few cheap steps; a way that leads back to itself is none. */
function isNearFile(v: Value, behind: ReadonlySet<Value> = new Set()): boolean {
  const node = v.producer;
  if (v.name !== undefined || !node) return true;
  if (behind.has(v)) return false;
  const further = new Set([...behind, v]);
  const other = v.writtenAs ?? v.emitAs;
  if (other && isNearFile(other, further)) return true;
  return CHEAP.has(node.operator) && node.inputs.every((x) => !x || isNearFile(x, further));
}

/**
 * Nodes that must be added so that the roots exist, producers first, those of last inputs before those of first ones. ONNX Runtime
 * computes the input that was written last first: in R / Z that is R, and Z waits until it is needed and is then gone again.
 * Visible values and constants need none.
 */
export function neededNodes(b: Builder, roots: readonly Value[]): LoweredNode[] {
  const done = new Map<Node, LoweredNode>();
  const open = new Set<Node>();
  const stack: (Value | LoweredNode)[] = [...roots].reverse();
  while (stack.length > 0) {
    const item = stack.pop()!;
    if ("node" in item) {
      done.set(item.node, item);
      continue;
    }
    const value = emitted(item);
    const node = value.producer;
    if (!node || value.name !== undefined || value.constant || open.has(node)) continue;
    open.add(node);
    const lowered = lower(b, node);
    stack.push(lowered);
    for (const input of lowered.inputs) if (input) stack.push(input);
  }
  return [...done.values()];
}

function lower(b: Builder, node: Node): LoweredNode {
  const form = b.operators.get(node.operator)?.lower?.(node, b.opset, b) ?? node;
  const inputs = form.inputs.map((v) => v && emitted(v));
  while (inputs.length > 0 && inputs[inputs.length - 1] === undefined) inputs.pop();
  return { node, inputs, attributes: form.attributes };
}
