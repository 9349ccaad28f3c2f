/** Bytes <-> ONNX messages. This folder is the only place that knows protobuf. */
import { fromBinary, mergeFromBinary, toBinary } from "@bufbuild/protobuf";
import { fail } from "../errors.js";
import { type ModelProto, ModelProtoSchema } from "./generated/onnx_pb.js";

/** Parses a model. Weights stay views of `bytes` (protobuf `bytes` fields are sub-arrays), so no second copy is made. */
export function readModel(bytes: Uint8Array): ModelProto {
  if (bytes.length === 0) fail("E001", "", { at: "the file", why: "it is empty", try: "download or export it again" });
  if (startsWith(bytes, 4, "ORTM"))
    fail("E001", "", {
      at: "the file",
      why: "it is in ONNX Runtime's own .ort format, which holds no ONNX graph",
      try: "the .onnx file that it was made from",
    });
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    fail("E001", "", {
      at: "the file",
      why: "it cannot be read as protobuf, so it is truncated or something else",
      try: "check that the download is complete and that this is a .onnx file",
    });
  }
  if (!model.graph || model.graph.node.length === 0 || model.opsetImport.length === 0)
    fail("E001", "", {
      at: "the file",
      why: "it can be read as protobuf but holds no graph, no nodes or no operator set",
      try: "check that this is a .onnx model and not one of its parts (such as *.onnx_data)",
    });
  return model;
}

/** What parsing `bytes` behind the model's own makes of it: the graph gets the appended nodes, constants, inputs and outputs. */
export const mergeModel = (model: ModelProto, bytes: Uint8Array): ModelProto =>
  mergeFromBinary(ModelProtoSchema, model, bytes);

export const writeModel = (model: ModelProto): Uint8Array => toBinary(ModelProtoSchema, model);

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  return [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));
}
