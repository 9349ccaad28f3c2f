/**
 * Compile time and memory for large models, each in a process of its own: one file close to protobuf's 2 GB, one above it, and a
 * model whose weights lie beside it in files of many GB, which compiling must not read (they are holes here, and take no space).
 * Writes the table into the README.
 *
 *     npm run bench:size
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { compile } from "../packages/vitrail/dist/index.js";
import * as onnx from "../packages/vitrail/dist/onnx/generated/onnx_pb.js";
import { refuseTooLarge } from "../packages/vitrail/dist/onnx/size.js";
import { visionTransformer } from "./bench-model.js";
import { replaceBetween } from "./docs.js";

const SHAPE = { width: 192, depth: 12, heads: 3 };
const METHOD = "transformer-attribution";

/** Field 5 of GraphProto inside field 7 of ModelProto: one more initializer of `bytes` zeros, appended without building it. */
function padTo(path, model, bytes) {
  const varint = (n) => {
    const out = [];
    for (let rest = n; ; rest = Math.floor(rest / 128)) {
      out.push(rest >= 128 ? (rest % 128) + 128 : rest);
      if (rest < 128) return out;
    }
  };
  const framed = (field, length) => [...varint(field * 8 + 2), ...varint(length)];
  const size = Math.floor(bytes / 4) * 4;
  const head = toBinary(
    onnx.TensorProtoSchema,
    create(onnx.TensorProtoSchema, { name: "unused", dataType: 1, dims: [BigInt(size / 4)] }),
  );
  const raw = framed(9, size);
  const tensor = head.length + raw.length + size;
  const inGraph = framed(5, tensor);
  const lead = Uint8Array.from([...framed(7, inGraph.length + tensor), ...inGraph, ...head, ...raw]);
  const file = openSync(path, "w");
  writeSync(file, model);
  writeSync(file, lead);
  closeSync(file);
  truncateSync(path, model.length + lead.length + size);
}

/** The same model with every large weight somewhere in a file of `bytes` beside it. */
function outside(folder, model, bytes) {
  const proto = fromBinary(onnx.ModelProtoSchema, model);
  const large = proto.graph.initializer.filter((t) => t.rawData.length > 1024);
  large.forEach((t, i) => {
    const entry = (key, value) => create(onnx.StringStringEntryProtoSchema, { key, value: String(value) });
    const offset = Math.floor((i * bytes) / large.length / 4096) * 4096;
    t.externalData = [entry("location", "model.onnx_data"), entry("offset", offset), entry("length", t.rawData.length)];
    t.rawData = new Uint8Array();
    t.dataLocation = onnx.TensorProto_DataLocation.EXTERNAL;
  });
  const path = join(folder, "model.onnx");
  writeFileSync(path, toBinary(onnx.ModelProtoSchema, proto));
  writeFileSync(join(folder, "model.onnx_data"), "");
  truncateSync(join(folder, "model.onnx_data"), bytes);
  return path;
}

/** Processor time, since the machine may be shared; memory is that of the whole process, the file itself included. */
function child(path) {
  const { size } = statSync(path);
  try {
    refuseTooLarge(size, "the file");
  } catch (refusal) {
    return { file: size, refusal: refusal.message, memory: process.resourceUsage().maxRSS / 1024 };
  }
  const bytes = readFileSync(path);
  const start = process.cpuUsage();
  const { patch } = compile(bytes, { method: METHOD });
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  return { file: size, seconds, patch: patch.length, memory: process.resourceUsage().maxRSS / 1024 };
}

const seconds = (t) => `${t.toFixed(1)} s`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

function main() {
  const folder = mkdtempSync(join(tmpdir(), "vitrail-size-"));
  try {
    const model = visionTransformer(SHAPE);
    const cases = [];
    const plain = join(folder, "plain.onnx");
    writeFileSync(plain, model);
    cases.push(["as it is", plain]);
    for (const gigabytes of [1, 2.1, 2.2]) {
      const path = join(folder, `${gigabytes}.onnx`);
      padTo(path, model, gigabytes * 1e9);
      cases.push([`${gigabytes} GB in one file`, path]);
    }
    cases.push(["40 GB beside it", outside(folder, model, 40e9)]);
    const lines = ["| ViT-Tiny/16 | file | compile | patch | peak memory |", "|---|--:|--:|--:|--:|"];
    for (const [title, path] of cases) {
      const r = JSON.parse(
        execFileSync(process.execPath, [fileURLToPath(import.meta.url), "--child", path]).toString(),
      );
      const done = r.refusal ? ["refused", ""] : [seconds(r.seconds), `${(r.patch / 1e3).toFixed(0)} kB`];
      lines.push(`| ${[title, megabytes(r.file), ...done, `${r.memory.toFixed(0)} MB`].join(" | ")} |`);
      console.log(lines.at(-1));
      if (r.refusal) console.log(r.refusal);
    }
    const machine = `\`npm run bench:size\` on ${cpus()[0]?.model ?? "CPU"}, Node ${process.versions.node}; \`${METHOD}\`, processor time; the whole process is counted as memory, the file that it read included.`;
    const readme = new URL("../README.md", import.meta.url);
    const text = `${lines.join("\n")}\n\n${machine}`;
    writeFileSync(readme, replaceBetween(readFileSync(readme, "utf8"), "bench-size", text));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[2] === "--child") console.log(JSON.stringify(child(process.argv[3])));
else main();
