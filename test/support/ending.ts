/** A model that goes on behind one of its outputs: what an export appends to the scores of a classifier. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, ValueInfoProtoSchema } from "../../packages/vitrail/src/onnx/generated/onnx_pb.js";
import { ModelWriter } from "./model.js";

/** Writes nodes behind a value and gives the name of the last one. */
export type Ending = (m: ModelWriter, scores: string) => string;

/** The output `of` becomes `name`, which is `ending` of it; with `keep` both are outputs, the new one first. */
export function withEnding(
  model: Uint8Array,
  ending: Ending,
  {
    of = "logits",
    name = "ended",
    keep = false,
    type,
  }: { of?: string; name?: string; keep?: boolean; type?: number } = {},
): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const graph = proto.graph!;
  const opset = Number(proto.opsetImport.find(({ domain }) => domain === "")!.version);
  const m = new ModelWriter({ opset });
  m.op("Identity", [ending(m, of)], {}, [name]);
  const own = new Set([...m.nodes.flatMap((n) => n.output), ...m.initializers.map((t) => t.name)]);
  const renamed = (value: string) => (own.has(value) && value !== name ? `end/${value}` : value);
  for (const node of m.nodes) {
    node.name = `end${node.name}`;
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  }
  for (const tensor of m.initializers) tensor.name = renamed(tensor.name);
  graph.node.push(...m.nodes);
  graph.initializer.push(...m.initializers);
  const old = graph.output.find((o) => o.name === of)!;
  const element = type ?? (old.type!.value.value as { elemType: number }).elemType;
  const added = create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: element } } },
  });
  graph.output = [added, ...graph.output.filter((o) => keep || o !== old)];
  return toBinary(ModelProtoSchema, proto);
}
