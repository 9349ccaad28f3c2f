/** AttributeProto <-> attribute; the kind is kept both ways. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as Kind,
} from "../onnx/generated/onnx_pb.js";
import { readTensor, writeTensor } from "../onnx/tensor-proto.js";
import { saturate } from "../tensor/tensor.js";
import type { Attribute, Attributes } from "./attribute.js";

export function readAttributes(protos: readonly AttributeProto[]): Attributes {
  const attributes: Record<string, Attribute> = {};
  for (const proto of protos) {
    const value = readAttribute(proto);
    if (value !== undefined) attributes[proto.name] = value;
  }
  return attributes;
}

function readAttribute(proto: AttributeProto): Attribute | undefined {
  switch (proto.type) {
    case Kind.FLOAT:
      return { kind: "float", value: proto.f };
    case Kind.INT:
      return { kind: "int", value: saturate(proto.i) };
    case Kind.STRING:
      return { kind: "string", value: textOf(proto.s) };
    case Kind.TENSOR:
      return proto.t && { kind: "tensor", value: readTensor(proto.t) };
    case Kind.GRAPH:
      return proto.g && { kind: "graph", value: proto.g };
    case Kind.FLOATS:
      return { kind: "floats", value: proto.floats };
    case Kind.INTS:
      return { kind: "ints", value: proto.ints.map(saturate) };
    case Kind.STRINGS:
      return { kind: "strings", value: proto.strings.map(textOf) };
    default:
      return undefined;
  }
}

export const writeAttributes = (attributes: Attributes): AttributeProto[] =>
  Object.entries(attributes).map(([name, attribute]) => writeAttribute(name, attribute));

function writeAttribute(name: string, attribute: Attribute): AttributeProto {
  const write = (kind: Kind, fields: MessageInitShape<typeof AttributeProtoSchema>) =>
    create(AttributeProtoSchema, { name, type: kind, ...fields });
  switch (attribute.kind) {
    case "int":
      return write(Kind.INT, { i: BigInt(attribute.value) });
    case "float":
      return write(Kind.FLOAT, { f: attribute.value });
    case "string":
      return write(Kind.STRING, { s: bytesOf(attribute.value) });
    case "ints":
      return write(Kind.INTS, { ints: attribute.value.map(BigInt) });
    case "floats":
      return write(Kind.FLOATS, { floats: [...attribute.value] });
    case "strings":
      return write(Kind.STRINGS, { strings: attribute.value.map(bytesOf) });
    case "tensor":
      return write(Kind.TENSOR, { t: writeTensor("", attribute.value) });
    case "graph":
      return write(Kind.GRAPH, { g: attribute.value });
  }
}

/** One character for each byte, whatever the encoding: text goes through unread. */
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return text;
}
