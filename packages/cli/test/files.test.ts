import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "../src/input/safetensors.js";
import { readFormats } from "../src/output/files.js";
import { prettyJson } from "../src/output/json.js";
import { fileStem, uniqueStems } from "../src/output/name.js";
import { encodeNpy } from "../src/output/npy.js";
import { prepareFolder, writeWhole } from "../src/output/write.js";

const folder = () => mkdtempSync(join(tmpdir(), "vitrail-"));

describe("safetensors", () => {
  const write = (header: object, body: Uint8Array): Uint8Array => {
    const json = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + json.length + body.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    bytes.set(body, 8 + json.length);
    return bytes;
  };

  test("reads tensors whatever their alignment", () => {
    const body = new Uint8Array([1, ...new Uint8Array(Float32Array.of(1.5, -2).buffer)]);
    const bytes = write(
      {
        __metadata__: { format: "pt" },
        mask: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] },
        x: { dtype: "F32", shape: [1, 2], data_offsets: [1, 9] },
      },
      body,
    );
    const tensors = parseSafetensors(bytes);
    expect(tensors.x).toEqual({ type: "float32", dims: [1, 2], data: Float32Array.of(1.5, -2) });
    expect(tensors.mask!.type).toBe("bool");
  });

  test("says what is wrong with a file", () => {
    expect(() => parseSafetensors(new Uint8Array(3))).toThrow(/shorter than its header/);
    expect(() => parseSafetensors(new Uint8Array(64).fill(9))).toThrow(/truncated/);
    const cut = write({ x: { dtype: "F32", shape: [4], data_offsets: [0, 16] } }, new Uint8Array(8));
    expect(() => parseSafetensors(cut)).toThrow(/cut off/);
    const odd = write({ x: { dtype: "F32", shape: [3], data_offsets: [0, 8] } }, new Uint8Array(8));
    expect(() => parseSafetensors(odd)).toThrow(/shape \[3\]/);
    const strange = write({ x: { dtype: "F8_E4M3", shape: [8], data_offsets: [0, 8] } }, new Uint8Array(8));
    expect(() => parseSafetensors(strange)).toThrow(/F8_E4M3/);
    const text = new Uint8Array([4, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode("root")]);
    expect(() => parseSafetensors(text)).toThrow(/^its header cannot be read: it is not JSON$/);
    for (const entry of [
      null,
      7,
      {},
      { dtype: "constructor", shape: [1], data_offsets: [0, 4] },
      { dtype: "F32", shape: {} },
    ]) {
      expect(() => parseSafetensors(write({ x: entry }, new Uint8Array(4)))).toThrow(/^tensor "x" has/);
    }
  });
});

test("npy has NumPy's header, padded to 64 bytes", () => {
  const bytes = encodeNpy(Float32Array.of(1, 2, 3), [3]);
  expect([...bytes.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  const length = bytes[8]! + 256 * bytes[9]!;
  expect((10 + length) % 64).toBe(0);
  expect(new TextDecoder().decode(bytes.subarray(10, 10 + length))).toMatch(/'shape': \(3,\), } *\n$/);
  expect(new Float32Array(bytes.slice(10 + length).buffer)).toEqual(Float32Array.of(1, 2, 3));
});

describe("names", () => {
  test("hold only what every file system takes", () => {
    const name = fileStem("my photo/1", "lrp", { index: "3", label: "tabby, tabby cat" });
    expect(name).toBe("my-photo-1__lrp__3-tabby-tabby-cat");
    expect(fileStem("Ünïcode 写真", "lrp", { index: "0" })).toBe("Ünïcode-写真__lrp__0");
    expect(fileStem("../..", "lrp")).toBe("unnamed__lrp");
  });

  test("of equal stems differ", () => {
    expect(uniqueStems(["a", "A", "b", "a"])).toEqual(["a", "A-2", "b", "a-3"]);
  });

  test("stay apart when a number is taken", () => {
    const names = uniqueStems(["a", "a-2", "a"]);
    expect(new Set(names).size).toBe(3);
  });
});

describe("formats", () => {
  test("follow the inputs unless asked", () => {
    expect([...readFormats(undefined, ["picture"])]).toEqual(["png", "json"]);
    expect([...readFormats(undefined, ["text"])]).toEqual(["html", "json"]);
    expect([...readFormats("npy", ["picture"])]).toEqual(["npy"]);
  });

  test("must exist and fit", () => {
    expect(() => readFormats("gif", ["picture"])).toThrow(/gif is no format/);
    expect(() => readFormats("html", ["picture"])).toThrow(/does not go with these inputs/);
  });
});

describe("writing", () => {
  test("leaves no temporary file behind", async () => {
    const place = folder();
    await writeWhole(join(place, "deep", "a.txt"), "hello");
    expect(readFileSync(join(place, "deep", "a.txt"), "utf8")).toBe("hello");
    expect(readdirSync(join(place, "deep"))).toEqual(["a.txt"]);
  });

  test("says when a folder cannot be", async () => {
    const place = folder();
    writeFileSync(join(place, "file"), "");
    await expect(prepareFolder(join(place, "file", "below"))).rejects.toThrow(/E085/);
    await expect(prepareFolder("/proc/vitrail-test")).rejects.toThrow(/E085/);
  });
});

test("numbers stay on one line of JSON", () => {
  const value = { a: [1, -2.5, 3e-7], b: ["x", "[\n1\n]"], c: [], d: [[1, 2]] };
  const text = prettyJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toContain('"a": [1, -2.5, 3e-7]');
});
