/** 8-bit weights whose products some processors saturate. */
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { array, run } from "../../../test/support/runtime.js";
import { SUM_OF_64, saturatingWeights, saturationProbe } from "../src/ops/saturation.js";
import { tensorOf } from "../src/tensor/tensor.js";

const model = (type: "int8" | "uint8", weight: number): Uint8Array => {
  const m = new ModelWriter({ opset: 17 });
  const weights = m.constant(tensorOf(type, [weight, 1], [2, 1]), "w");
  m.output(m.op("MatMulInteger", [m.input("x", "uint8", [1, 2]), weights]), "int32", [1, 1], "y");
  return m.bytes();
};

test("signed weights of more than 7 bits are named, others are not", () => {
  expect(saturatingWeights(model("int8", -127))).toEqual(["w"]);
  expect(saturatingWeights(model("int8", 65))).toEqual(["w"]);
  expect(saturatingWeights(model("int8", 64))).toEqual([]);
  expect(saturatingWeights(model("uint8", 255))).toEqual([]);
  expect(saturatingWeights(saturationProbe())).toEqual(["w"]);
});

test("weights that are dequantised, where activations are quantised", () => {
  const dequantised = (quantised: boolean): Uint8Array => {
    const m = new ModelWriter({ opset: 17 });
    const scale = m.constant(tensorOf("float32", 0.1));
    const x = m.input("x", "float32", [1, 2]);
    const zero = m.constant(tensorOf("uint8", 0));
    const rounded = quantised ? m.op("DequantizeLinear", [m.op("QuantizeLinear", [x, scale, zero]), scale, zero]) : x;
    const w = m.op("DequantizeLinear", [m.constant(tensorOf("int8", [127, 1], [2, 1]), "w"), scale]);
    m.output(m.op("MatMul", [rounded, w]), "float32", [1, 1], "y");
    return m.bytes();
  };
  expect(saturatingWeights(dequantised(true))).toEqual(["w"]);
  expect(saturatingWeights(dequantised(false))).toEqual([]);
});

test("with the exact sums the probe gives the sum of integers on any processor", async () => {
  const x = array("uint8", Array(SUM_OF_64.length).fill(255), [1, SUM_OF_64.length]);
  expect((await run(saturationProbe(), { x }, true)).y!.values).toEqual([SUM_OF_64.exact]);
});
