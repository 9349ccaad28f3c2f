/** Constants: raw and typed fields, every element type that is read, 16-bit floats; and the digest of the original file. */
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256, sha256Portable } from "../src/emit/sha256.js";
import { TensorProto_DataLocation, TensorProtoSchema } from "../src/onnx/generated/onnx_pb.js";
import { readTensor, writeTensor } from "../src/onnx/tensor-proto.js";
import {
  type ElementType,
  elementTypeNumber,
  elementTypeOf,
  isFloat,
  isInteger,
  shortName,
} from "../src/tensor/element-type.js";
import { fromBfloat16, fromFloat16 } from "../src/tensor/half.js";
import { readNumbers, saturate, tensorOf } from "../src/tensor/tensor.js";

const raw = (type: ElementType, bytes: ArrayBufferView<ArrayBuffer>, dims: number[]) =>
  create(TensorProtoSchema, {
    dataType: elementTypeNumber(type),
    dims: dims.map(BigInt),
    rawData: new Uint8Array(bytes.buffer),
  });
const numbers = (proto: ReturnType<typeof raw>) => readNumbers(readTensor(proto));

describe("raw data", () => {
  test.each([
    ["float32", Float32Array.of(1.5, -2, 0.25)],
    ["float64", Float64Array.of(1.5, -2, 1e300)],
    ["int32", Int32Array.of(1, -2, 2 ** 31 - 1)],
    ["uint32", Uint32Array.of(1, 2 ** 32 - 1, 0)],
    ["int16", Int16Array.of(1, -2, 300)],
    ["uint16", Uint16Array.of(1, 65535, 300)],
    ["int8", Int8Array.of(1, -2, 127)],
    ["uint8", Uint8Array.of(1, 255, 127)],
    ["bool", Uint8Array.of(1, 0, 1)],
  ] as const)("%s", (type, values) => {
    expect(numbers(raw(type, values as ArrayBufferView<ArrayBuffer>, [3]))).toEqual(Array.from(values));
  });

  test("64-bit integers saturate where numbers end", () => {
    const values = BigInt64Array.of(7n, -7n, 2n ** 63n - 1n, -(2n ** 63n));
    expect(numbers(raw("int64", values, [4]))).toEqual([7, -7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
    expect(saturate(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(numbers(raw("uint64", BigUint64Array.of(5n, 2n ** 64n - 1n), [2]))).toEqual([5, Number.MAX_SAFE_INTEGER]);
  });

  test("views that do not begin at a multiple of their element", () => {
    const bytes = new Uint8Array(13);
    bytes.set(new Uint8Array(Float32Array.of(1, 2, 3).buffer), 1);
    expect(readNumbers({ type: "float32", dims: [3], bytes: bytes.subarray(1) })).toEqual([1, 2, 3]);
  });

  test("nothing is read of what is too long, too short, elsewhere or text", () => {
    expect(readNumbers(tensorOf("int64", [1, 2, 3]), 2)).toBeUndefined();
    expect(readNumbers({ type: "float32", dims: [3], bytes: new Uint8Array(8) })).toBeUndefined();
    expect(readNumbers({ type: "string", dims: [1], bytes: new Uint8Array(8) })).toBeUndefined();
    const external = create(TensorProtoSchema, {
      dataType: 1,
      dims: [3n],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
    });
    expect(readTensor(external)).toEqual({ type: "float32", dims: [3], bytes: undefined });
  });

  test("an unknown element type is an error that names the tensor", () => {
    expect(() => readTensor(create(TensorProtoSchema, { name: "weird", dataType: 99 }))).toThrow(/E025[\s\S]*"weird"/);
  });
});

describe("typed data", () => {
  const typed = (type: ElementType, fields: object, count: number) =>
    numbers(create(TensorProtoSchema, { dataType: elementTypeNumber(type), dims: [BigInt(count)], ...fields }));
  test.each([
    ["float32", { floatData: [1.5, -2] }, [1.5, -2]],
    ["float64", { doubleData: [1e300, -2] }, [1e300, -2]],
    ["int64", { int64Data: [5n, -6n] }, [5, -6]],
    ["int32", { int32Data: [5, -6] }, [5, -6]],
    ["int16", { int32Data: [5, -6] }, [5, -6]],
    ["uint16", { int32Data: [5, 65535] }, [5, 65535]],
    ["int8", { int32Data: [5, -6] }, [5, -6]],
    ["uint8", { int32Data: [5, 255] }, [5, 255]],
    ["bool", { int32Data: [1, 0] }, [1, 0]],
    ["float16", { int32Data: [0x3c00, 0xc000] }, [1, -2]],
    ["bfloat16", { int32Data: [0x3f80, 0xc000] }, [1, -2]],
  ] as [ElementType, object, number[]][])("%s", (type, fields, expected) => {
    expect(typed(type, fields, 2)).toEqual(expected);
  });
  test("a tensor without elements", () => expect(typed("float32", {}, 0)).toEqual([]));
});

describe("written tensors", () => {
  test.each(["float32", "float64", "int64", "int32", "int8", "uint8", "bool"] as const)("%s comes back", (type) => {
    const tensor = tensorOf(type, [1, 0, 1, 1, 0, 1], [2, 3]);
    expect(readTensor(writeTensor("w", tensor))).toEqual(tensor);
    expect(readNumbers(tensor)).toEqual([1, 0, 1, 1, 0, 1]);
  });
  test("dims of a number and of a list", () => {
    expect(tensorOf("float32", 2).dims).toEqual([]);
    expect(tensorOf("float32", [2]).dims).toEqual([1]);
  });
});

describe("16-bit floats", () => {
  test.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x3555, 0.333251953125],
  ])("float16 %i is %d", (bits, value) => expect(fromFloat16(bits)).toBe(value));
  test("float16 NaN, and -0", () => {
    expect(fromFloat16(0x7e00)).toBeNaN();
    expect(Object.is(fromFloat16(0x8000), -0)).toBe(true);
  });
  test("bfloat16 is the upper half of a float32", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (bits) => {
        const view = new DataView(new ArrayBuffer(4));
        view.setUint16(0, bits);
        expect(fromBfloat16(bits)).toBe(view.getFloat32(0));
      }),
    ));
});

describe("element types", () => {
  test("names and numbers are one to one", () => {
    for (let number = 1; number <= 23; number++) expect(elementTypeNumber(elementTypeOf(number)!)).toBe(number);
    expect(elementTypeOf(0)).toBeUndefined();
  });
  test("floats, integers and neither", () => {
    expect((["float16", "bfloat16", "float32", "float64"] as const).every(isFloat)).toBe(true);
    expect((["int64", "uint8", "int4"] as const).every(isInteger)).toBe(true);
    expect((["bool", "string", "float8e5m2"] as const).some((t) => isInteger(t) || isFloat(t))).toBe(false);
    expect((["float32", "bfloat16", "int64", "uint8", "bool"] as const).map(shortName)).toEqual([
      "f32",
      "bf16",
      "i64",
      "u8",
      "bool",
    ]);
  });
});

describe("SHA-256", () => {
  const reference = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  test("in plain arithmetic, at every length around a block", () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      expect(sha256Portable(bytes), `${length} bytes`).toBe(reference(bytes));
    }
  });
  test("of any bytes, in a view of a larger buffer", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(50), (bytes, from) => {
        const view = bytes.subarray(Math.min(from, bytes.length));
        expect(sha256Portable(view)).toBe(reference(view));
        expect(sha256(view)).toBe(reference(view));
      }),
    ));
});
