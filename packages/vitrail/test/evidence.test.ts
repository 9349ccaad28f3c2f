/** What `inspect` says it found, and how: one model for each way of finding. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { vit } from "../../../test/support/vit.js";
import { inspect } from "../src/inspect.js";
import type { CompileOptions } from "../src/options.js";

const picture = { depth: 2, size: 4, patch: 2, width: 6, heads: 2, mlpRatio: 1, classes: 3 } as const;
const clip = readFileSync(new URL("../../../test/collection/clip/dynamo-op18-sdpa.onnx", import.meta.url));
const said = (model: Uint8Array, options: CompileOptions = {}) =>
  Object.fromEntries(inspect(model, options).evidence.map(({ finding, ...rest }) => [finding, rest]));

test("where the graph leaves no choice, everything is found", () => {
  const { output, input, attention, tokens, "read-out": readout } = said(vit(picture));
  expect(output).toMatchObject({
    state: "found",
    value: "logits",
    evidence: expect.stringContaining("the only output"),
  });
  expect(output!.flag).toBeUndefined();
  expect(input).toMatchObject({ state: "found", value: "pixel_values" });
  expect(attention).toMatchObject({ state: "found", value: "2 sites" });
  expect(tokens).toMatchObject({ state: "found", value: "1 special + 2 × 2 patches" });
  expect(tokens!.evidence).toContain("1 token is joined in front");
  expect(readout).toMatchObject({ state: "found", value: "token 0", flag: expect.stringContaining("--readout") });
});

test("where there are several, a rule chooses and the flag names the others", () => {
  const { output, input } = said(clip);
  expect(output).toMatchObject({
    state: "derived",
    value: "logits_per_image",
    flag: "--output logits_per_text | text_embeds | image_embeds",
  });
  expect(input).toMatchObject({ state: "derived", value: "pixel_values", flag: "--explains input_ids" });
});

test("what the caller names is given", () => {
  const named = said(clip, { output: "text_embeds", explains: "input_ids", readout: "index:1" });
  expect(named).toMatchObject({
    output: { state: "given", value: "text_embeds" },
    input: { state: "given", value: "input_ids", evidence: expect.stringContaining("looked up in a table of 60 × 32") },
    tokens: { state: "found", value: "one per id" },
    "read-out": { state: "given", value: "index:1" },
  });
});

test("an input method has no tokens and no read-out to speak of", () => {
  expect(Object.keys(said(vit(picture), { method: "gradient-x-input" }))).toEqual(["output", "input", "attention"]);
});

test("a model that cannot be explained still says what was found", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("x", "float32", ["batch", 4]);
  m.output(m.op("Tanh", [x]), "float32", ["batch", 4], "logits");
  const { attention, input } = said(m.bytes());
  expect(attention).toMatchObject({ state: "missing", value: "none" });
  expect(input).toMatchObject({ state: "found", value: "x" });
});
