import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Findings } from "vitrail/node";
import { row, type Sample } from "../explain/sample.js";
import { problem } from "../problem.js";
import { stemOf } from "./picture.js";
import { readSafetensors } from "./safetensors.js";

/** The rows of a .safetensors file as samples; its tensors are named like the model's inputs. */
export async function readTensorSamples(path: string, { inputs, metadata }: Findings): Promise<Sample[]> {
  const tensors = await readSafetensors(path);
  const explained = tensors[metadata.explains];
  if (!explained) {
    const wanted = inputs.map(({ name }) => name).join(", ");
    const why = `it holds ${Object.keys(tensors).join(", ") || "nothing"}, the model's inputs are ${wanted}`;
    throw problem("E089", { at: path, why, try: "name the tensors like the inputs" });
  }
  const batch = explained.dims[0] ?? 1;
  const alike = Object.values(tensors).every(({ dims }) => dims[0] === batch);
  const rows = alike ? Array.from({ length: batch }, (_, index) => row(tensors, index)) : [tensors];
  return rows.map((feeds, index) => {
    const suffix = rows.length > 1 ? `-${index}` : "";
    const data = feeds[metadata.explains]!.data;
    return {
      kind: "tensors",
      name: rows.length > 1 ? `${basename(path)}[${index}]` : basename(path),
      stem: `${stemOf(path)}${suffix}`,
      sha256: createHash("sha256")
        .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
        .digest("hex"),
      size: feeds[metadata.explains]!.dims.slice(1),
      parts: [feeds],
    };
  });
}
