/** AttributeProto -> plain values. */

import type { Attributes, AttributeValue } from "../ir/graph.js";
import { type AttributeProto, AttributeProto_AttributeType as Kind } from "../onnx/generated/onnx_pb.js";
import { readTensor } from "../onnx/tensor-proto.js";
import { saturate } from "../tensor/tensor.js";

const decoder = (bytes: Uint8Array): string => {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return text;
};

export function readAttributes(protos: readonly AttributeProto[]): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const proto of protos) {
    const value = readAttribute(proto);
    if (value !== undefined) attributes[proto.name] = value;
  }
  return attributes;
}

function readAttribute(proto: AttributeProto): AttributeValue | undefined {
  switch (proto.type) {
    case Kind.FLOAT:
      return proto.f;
    case Kind.INT:
      return saturate(proto.i);
    case Kind.STRING:
      return decoder(proto.s);
    case Kind.TENSOR:
      return proto.t && readTensor(proto.t);
    case Kind.GRAPH:
      return proto.g;
    case Kind.FLOATS:
      return proto.floats;
    case Kind.INTS:
      return proto.ints.map(saturate);
    case Kind.STRINGS:
      return proto.strings.map(decoder);
    default:
      return undefined;
  }
}
