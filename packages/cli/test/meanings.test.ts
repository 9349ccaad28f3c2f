/** What the inputs of a model hold: said, named, or found. */
import { expect, test } from "vitest";
import type { Findings } from "vitrail/node";
import { readMeanings, textSpecs } from "../src/input/meanings.js";

const input = (name: string, type = "int64") => ({ name, type, dims: ["b", "s"] }) as Findings["inputs"][number];

test("a flag names an input and what it holds; a name may hold an equals sign", () => {
  expect(readMeanings(["x=ids", "a=b=mask"])).toEqual({ x: "ids", "a=b": "mask" });
  expect(() => readMeanings(["x=words"])).toThrow(
    /E080[\s\S]*"words" is nothing that an input holds[\s\S]*pixels\|ids/,
  );
  expect(() => readMeanings(["x"])).toThrow(/E080[\s\S]*not NAME=WHAT/);
});

test("what was said counts most, then the name, then what embeddings are looked up with", () => {
  const inputs = [input("words", "int32"), input("input_mask"), input("other"), input("type_ids", "float32")];
  expect(textSpecs(inputs, { other: "positions", type_ids: "types" }, "words")).toEqual([
    { name: "words", type: "int32", meaning: "ids" },
    { name: "input_mask", type: "int64", meaning: "mask" },
    { name: "other", type: "int64", meaning: "positions" },
    { name: "type_ids", type: "float32", meaning: "types" },
  ]);
});

test("an input that nothing is known of, and a name that is no input, are said with what to write", () => {
  expect(() => textSpecs([input("words"), input("bbox")], undefined, "words")).toThrow(
    /E074[\s\S]*input "bbox"[\s\S]*--input "bbox=WHAT"/,
  );
  expect(() => textSpecs([input("words")], { wrods: "ids" }, "words")).toThrow(
    /E074[\s\S]*the model's inputs are words/,
  );
});
