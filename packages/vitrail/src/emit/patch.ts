/**
 * The appended bytes. ONNX is protobuf: a second `graph` merges into the first and repeated fields append, so a message that
 * holds only the added nodes, constants, input and output turns the original file into one that explains itself.
 *
 * A node's name says where it comes from, `vitrail/<pass>/<op>/<source node>`. Values are numbered, `vitrail/17`: their names stand
 * in the file once for each use, and were three quarters of it.
 */
import { create } from "@bufbuild/protobuf";
import { writeAttributes } from "../ir/attribute-proto.js";
import type { Value } from "../ir/graph.js";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../onnx/generated/onnx_pb.js";
import { writeModel } from "../onnx/model.js";
import { writeTensor } from "../onnx/tensor-proto.js";
import type { Builder } from "../ops/builder.js";
import type { Dim } from "../tensor/dim.js";
import { elementTypeNumber } from "../tensor/element-type.js";
import { emitted, type LoweredNode, neededNodes } from "./lower.js";

export interface PatchRequest {
  readonly b: Builder;
  /** Names that are taken. */
  readonly taken: ReadonlySet<string>;
  readonly inputs: readonly { readonly name: string; readonly value: Value }[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly irVersion: bigint;
}

export interface Patch {
  readonly bytes: Uint8Array;
  readonly inputs: PatchRequest["inputs"];
  readonly outputs: PatchRequest["outputs"];
  readonly nodes: readonly LoweredNode[];
  /** What the outputs of added nodes are called in print: the public names, and of all others the name of the node. */
  readonly names: ReadonlyMap<Value, string>;
}

export function writePatch(request: PatchRequest): Patch {
  const { b, inputs, outputs } = request;
  const taken = new Set<Value>();
  const results = outputs.map(({ name, value }) => {
    const own = renamable(b, value, taken);
    taken.add(own);
    return { name, value: own };
  });
  const nodes = neededNodes(
    b,
    results.map((r) => r.value),
  );
  const names = nameNodes(request, nodes, results);
  const inFile = new Map<Value, string>([...inputs, ...results].map(({ name, value }) => [value, name]));
  const constants: Value[] = [];
  let next = 0;
  const nameOf = (v: Value | undefined): string => {
    if (!v) return "";
    const known = v.name ?? inFile.get(v);
    if (known !== undefined) return known;
    let name: string;
    do name = `vitrail/${next++}`;
    while (request.taken.has(name));
    inFile.set(v, name);
    if (v.constant) constants.push(v);
    return name;
  };
  const node = nodes.map(({ node: n, inputs: ins, attributes }) => {
    const [operator, domain] = splitOperator(n.operator);
    return create(NodeProtoSchema, {
      name: names.get(n.outputs[0]!) ?? "",
      opType: operator,
      domain,
      input: ins.map(nameOf),
      output: n.outputs.map(nameOf),
      attribute: writeAttributes(attributes),
    });
  });
  const model = create(ModelProtoSchema, {
    graph: create(GraphProtoSchema, {
      node,
      initializer: constants.map((v) => writeTensor(nameOf(v), v.constant!)),
      input: inputs.map(({ name, value }) => valueInfo(name, value)),
      output: results.map(({ name, value }) => valueInfo(name, value)),
    }),
    metadataProps: Object.entries(request.metadata).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
    // Before IR version 4 every initializer had to be a graph input too; the last scalar of a merged message wins.
    ...(request.irVersion < 4n && { irVersion: 4n }),
  });
  return { bytes: writeModel(model), inputs, outputs: results, nodes, names };
}

/** A public output needs a node of its own that can carry its name, also where the value is visible or shared. */
function renamable(b: Builder, value: Value, taken: ReadonlySet<Value>): Value {
  const v = emitted(value);
  const free = v.name === undefined && v.producer?.pass === "output" && !v.constant && !taken.has(v);
  return free ? v : b.node("Identity", [v], {}, 1)[0]!;
}

function nameNodes(
  { inputs }: PatchRequest,
  nodes: readonly LoweredNode[],
  outputs: readonly { name: string; value: Value }[],
): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const { name, value } of inputs) names.set(value, name);
  for (const { name, value } of outputs) names.set(value, name);
  const used = new Set(names.values());
  for (const { node } of nodes)
    for (const value of node.outputs) {
      if (names.has(value)) continue;
      const base = `vitrail/${node.pass || "canonical"}/${splitOperator(node.operator)[0]}/${node.source.replace(/^\//, "")}`;
      let name = base;
      for (let i = 1; used.has(name); i++) name = `${base}.${i}`;
      used.add(name);
      names.set(value, name);
    }
  return names;
}

export function splitOperator(operator: string): [type: string, domain: string] {
  const at = operator.indexOf("::");
  return at < 0 ? [operator, ""] : [operator.slice(at + 2), operator.slice(0, at)];
}

function valueInfo(name: string, value: Value): ValueInfoProto {
  const dim = (d: Dim) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof d === "number"
          ? { case: "dimValue", value: BigInt(d) }
          : isPlainSymbol(d)
            ? { case: "dimParam", value: d.key }
            : { case: undefined },
    });
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: elementTypeNumber(value.type),
          ...(value.shape && { shape: create(TensorShapeProtoSchema, { dim: value.shape.map(dim) }) }),
        },
      },
    },
  });
}

const isPlainSymbol = (d: Exclude<Dim, number>): boolean => /^[A-Za-z_][\w]*$/.test(d.key);
