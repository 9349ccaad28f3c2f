/**
 * The same model with its large weights left in the file that holds them: each becomes what ONNX calls external data, a place
 * in that file. A runtime maps such weights into memory instead of reading and copying them.
 */
import { create } from "@bufbuild/protobuf";
import { StringStringEntryProtoSchema, TensorProto_DataLocation } from "./generated/onnx_pb.js";
import { readModel, writeModel } from "./model.js";

/** Smaller ones stay where they are: a runtime looks into them while it simplifies the graph. */
const LARGE = 1 << 16;

/** @param model the first bytes of the file, all of its weights among them. @param location the file's name in its folder */
export function weightsInFile(model: Uint8Array, location: string): Uint8Array {
  const proto = readModel(model);
  const entry = (key: string, value: string | number) =>
    create(StringStringEntryProtoSchema, { key, value: String(value) });
  for (const tensor of proto.graph!.initializer) {
    const { rawData } = tensor;
    if (rawData.length < LARGE) continue;
    const offset = rawData.byteOffset - model.byteOffset;
    tensor.externalData = [entry("location", location), entry("offset", offset), entry("length", rawData.length)];
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.rawData = new Uint8Array();
  }
  return writeModel(proto);
}
