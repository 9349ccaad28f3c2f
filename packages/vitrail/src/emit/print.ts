/** The graph as text: if you can print it, you can test it. Original nodes first, then what each pass added. */

import type { ModelGraph } from "../canonicalize/model-graph.js";
import type { Attributes, Node, Value } from "../ir/graph.js";
import { shortName } from "../tensor/element-type.js";
import { formatShape } from "../tensor/shape.js";
import type { Patch } from "./patch.js";

const typed = (v: Value): string => `${shortName(v.type)}${formatShape(v.shape)}`;

export function printGraph(graph: ModelGraph, patch?: Patch): string {
  const name = (v: Value | undefined): string => {
    if (!v) return "_";
    const given = v.name ?? patch?.names.get(v);
    if (given !== undefined) return `%${given}`;
    return v.constant ? `const ${typed(v)}` : `%${v.id}`;
  };
  const signature = (values: ReadonlyMap<string, Value>) => [...values].map(([n, v]) => `${n}: ${typed(v)}`).join(", ");
  const lines = [`graph (${signature(graph.inputs)}) -> (${signature(graph.outputs)}) opset ${graph.opset} {`];
  for (const node of graph.builder.nodes)
    if (node.pass === "") lines.push(line(node, node.inputs, node.attributes, name));
  let pass = "";
  for (const { node, inputs, attributes } of patch?.nodes ?? []) {
    if (node.pass !== pass) lines.push(`  -- vitrail/${node.pass || "canonical"} --`);
    pass = node.pass;
    lines.push(line(node, inputs, attributes, name));
  }
  return `${lines.join("\n")}\n}\n`;
}

function line(
  node: Node,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes,
  name: (v: Value | undefined) => string,
): string {
  const entries = Object.entries(attributes).filter(([, v]) => typeof v !== "object" || Array.isArray(v));
  const list = entries.length > 0 ? ` {${entries.map(([k, v]) => `${k}: ${v}`).join(", ")}}` : "";
  const [first] = node.outputs;
  return `  ${node.outputs.map(name).join(", ")} = ${node.operator}(${inputs.map(name).join(", ")})${list} : ${first ? typed(first) : ""}`;
}
