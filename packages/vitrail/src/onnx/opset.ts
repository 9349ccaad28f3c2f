/** The default operator set of a model, read from its bytes without parsing the graph: for large files that is only a few steps. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** ModelProto.opset_import; in it domain and version (onnx.proto). */
const OPSET_IMPORT = 8;
const DOMAIN = 1;
const VERSION = 2;

/** Undefined where the bytes are no model, or say none. */
export function opsetOf(bytes: Uint8Array): number | undefined {
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field !== OPSET_IMPORT || type !== WireType.LengthDelimited) reader.skip(type, field);
      else {
        const { domain, version } = importOf(reader.bytes());
        if (domain === "" || domain === "ai.onnx") return version;
      }
    }
  } catch {
    // Whoever reads the whole file says what is wrong with it.
  }
  return undefined;
}

function importOf(bytes: Uint8Array): { domain: string; version: number } {
  const reader = new BinaryReader(bytes);
  let [domain, version] = ["", 1];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === DOMAIN) domain = reader.string();
    else if (field === VERSION) version = Number(reader.int64());
    else reader.skip(type, field);
  }
  return { domain, version };
}
