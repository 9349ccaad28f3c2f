/**
 * What must hold of a file before anything is read into it: names are computed once and somewhere, tensors hold what their dimensions
 * say, functions end, and nothing unfolds to more nodes than any model has.
 */
import { fail } from "../errors.js";
import { bitsOf, elementTypeOf } from "../tensor/element-type.js";
import type { FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto } from "./generated/onnx_pb.js";
import { TensorProto_DataLocation } from "./generated/onnx_pb.js";

/** Nodes of the file, with its functions unfolded: ten times as many as the largest language models have. */
const MOST_NODES = 200_000;
/** Branches in branches, functions in functions. */
const DEEPEST = 100;
const CHECK = "check the file with onnx.checker";

/** @throws VitrailError E001 or E047 at the first thing that does not hold */
export function checkModel(model: ModelProto): void {
  const graph = model.graph!;
  checkGraph(graph);
  for (const f of model.functions) checkNodes(f.node, 0);
  const functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name), f]));
  const unfolded = countUnfolded(graph.node, functions);
  if (unfolded > MOST_NODES)
    fail("E047", "", {
      at: "the graph",
      why: `with its functions unfolded it has ${unfolded < 1e9 ? unfolded : "over a billion"} nodes; ${MOST_NODES} are the most`,
      try: "export the model without functions that call functions, or inline them with onnx.inliner",
    });
}

function checkGraph(graph: GraphProto, depth = 0): void {
  const inputs = new Set<string>();
  for (const { name } of graph.input) {
    if (inputs.has(name)) fail("E001", "", { at: `input "${name}"`, why: "two inputs have this name", try: CHECK });
    inputs.add(name);
  }
  const computed = new Set(graph.node.flatMap((n) => n.output));
  for (const tensor of graph.initializer) {
    checkTensor(tensor);
    if (tensor.name !== "" && computed.has(tensor.name))
      fail("E001", "", { at: `tensor "${tensor.name}"`, why: "a node computes a value of the same name", try: CHECK });
  }
  for (const node of graph.node)
    for (const name of node.output)
      if (inputs.has(name))
        fail("E001", "", { ...at(node), why: `it computes "${name}", which is an input`, try: CHECK });
  checkNodes(graph.node, depth);
}

function checkNodes(nodes: readonly NodeProto[], depth: number): void {
  if (depth > DEEPEST)
    fail("E047", "", { at: "the graph", why: `it holds branches in branches, more than ${DEEPEST} deep`, try: CHECK });
  const computed = new Set<string>();
  for (const node of nodes) {
    if (node.opType === "") fail("E001", "", { ...at(node), why: "it names no operator", try: CHECK });
    for (const name of node.output) {
      if (name !== "" && computed.has(name))
        fail("E001", "", { ...at(node), why: `it computes "${name}", which another node computes too`, try: CHECK });
      computed.add(name);
    }
    for (const attribute of node.attribute) {
      if (attribute.t) checkTensor(attribute.t, node);
      for (const tensor of attribute.tensors) checkTensor(tensor, node);
      for (const graph of [attribute.g, ...attribute.graphs]) if (graph) checkGraph(graph, depth + 1);
    }
  }
}

/** As many bytes as its dimensions and its type ask for, where it lies in the file. */
function checkTensor(proto: TensorProto, node?: NodeProto): void {
  const place = node ? at(node) : { at: `tensor "${proto.name}"` };
  const wrong = (why: string) => fail("E001", "", { ...place, why, try: "download or export the file again" });
  const type = elementTypeOf(proto.dataType);
  const dims = proto.dims.map(Number);
  const sizes = dims.join(" x ") || "1";
  if (dims.some((d) => d < 0)) wrong(`it is a tensor of dimensions ${dims.join(" x ")}`);
  const count = dims.reduce((n, d) => n * d, 1);
  if (!Number.isSafeInteger(count)) wrong(`it is a tensor of ${dims.join(" x ")} elements, more than there can be`);
  if (!type || type === "string" || proto.dataLocation === TensorProto_DataLocation.EXTERNAL) return;
  if (proto.rawData.length > 0) {
    const bytes = Math.ceil((count * bitsOf(type)) / 8);
    if (proto.rawData.length !== bytes)
      wrong(`${sizes} elements of ${type} are ${bytes} bytes, and it holds ${proto.rawData.length}`);
    return;
  }
  const given = Math.max(
    proto.floatData.length,
    proto.doubleData.length,
    proto.int32Data.length,
    proto.int64Data.length,
    proto.uint64Data.length,
  );
  const perElement = proto.floatData.length > 0 && given !== count ? 2 : 1;
  if (given < count && bitsOf(type) >= 8) wrong(`it has ${sizes} elements of ${type}, and holds ${given}`);
  if (given > count * perElement) wrong(`it has ${sizes} elements of ${type}, and holds ${given}`);
}

/** How many nodes there are once every call is replaced by what it calls: each function is counted once. */
function countUnfolded(nodes: readonly NodeProto[], functions: ReadonlyMap<string, FunctionProto>): number {
  const counted = new Map<FunctionProto, number>();
  const open: FunctionProto[] = [];
  const ofNode = (node: NodeProto): number => {
    const inside = node.attribute.reduce(
      (n, a) => n + [a.g, ...a.graphs].reduce((k, g) => k + (g ? ofNodes(g.node) : 0), 0),
      0,
    );
    const body = functions.get(keyOf(node.domain, node.opType));
    return 1 + inside + (body ? ofFunction(body, node) : 0);
  };
  const ofNodes = (list: readonly NodeProto[]): number => list.reduce((n, node) => n + ofNode(node), 0);
  const ofFunction = (body: FunctionProto, call: NodeProto): number => {
    const known = counted.get(body);
    if (known !== undefined) return known;
    if (open.includes(body))
      fail("E001", "", { ...at(call), why: `the function "${body.name}" calls itself`, try: CHECK });
    if (open.length > DEEPEST)
      fail("E047", "", { ...at(call), why: `functions call functions, more than ${DEEPEST} deep`, try: CHECK });
    open.push(body);
    const count = ofNodes(body.node);
    open.pop();
    counted.set(body, count);
    return count;
  };
  return ofNodes(nodes);
}

const keyOf = (domain: string, name: string): string => `${domain === "ai.onnx" ? "" : domain}::${name}`;

const at = (node: NodeProto): { at: string; node?: string } => ({
  at: `node "${node.name || node.output[0] || "?"}" (${node.opType})`,
  ...(node.name && { node: node.name }),
});

/** Every name that the file uses for anything, so that added names can avoid them: a node and a value must not share one either. */
export function namesOf(model: ModelProto): Set<string> {
  const names = new Set<string>(model.functions.map((f) => f.name));
  const graphs: GraphProto[] = [model.graph!];
  const add = (nodes: readonly NodeProto[]): void => {
    for (const node of nodes) {
      for (const name of [node.name, ...node.input, ...node.output]) names.add(name);
      for (const a of node.attribute) for (const g of [a.g, ...a.graphs]) if (g) graphs.push(g);
    }
  };
  for (const graph of graphs) {
    names.add(graph.name);
    for (const { name } of [...graph.input, ...graph.output, ...graph.initializer, ...graph.valueInfo]) names.add(name);
    add(graph.node);
  }
  for (const f of model.functions) add(f.node);
  return names;
}
