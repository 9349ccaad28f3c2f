/** How large a model file may be. Protobuf counts the bytes of a message in 31 bits, and so does every ONNX runtime. */
import { fail } from "../errors.js";

export const LARGEST_FILE = 2 ** 31 - 1;

/** @throws VitrailError where a file of `bytes` is larger than any ONNX file can be */
export function refuseTooLarge(bytes: number, at: string): void {
  if (bytes <= LARGEST_FILE) return;
  fail("E003", "", {
    at,
    why: `it has ${(bytes / 1e9).toFixed(2)} GB, and a protobuf message ends at 2.14 GB: no runtime reads more`,
    try: 'keep the weights beside the model: onnx.save(model, path, save_as_external_data=True, location="model.onnx_data")',
  });
}
