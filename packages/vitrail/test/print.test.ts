/** If it can be printed it can be tested: the whole explanation of one small model, line by line. */
import { expect, test } from "vitest";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";

const style = { depth: 1, size: 4, patch: 2, width: 6, heads: 2, mlpRatio: 1, classes: 3 } as const;

test.each(["attention-rollout", "generic-attention", "transformer-attribution"])("%s", async (method) => {
  await expect(compile(vit(style), { method }).report.print()).toMatchFileSnapshot(`print/${method}.txt`);
});

test("a report says what was found", () => {
  const { report } = compile(vit(style));
  expect(report.inputs).toEqual([{ name: "pixel_values", type: "float32", dims: ["batch", 3, 4, 4] }]);
  expect(report.outputs).toEqual([{ name: "logits", type: "float32", dims: ["batch", 3] }]);
  // Samples, heads, queries (all, or the one that the head reads), keys.
  expect(report.sites.map((s) => [s.shape[0], s.shape[1], s.shape[3]])).toEqual([["batch", 2, 5]]);
  expect(report.metadata).toMatchObject({
    method: "transformer-attribution",
    explains: "pixel_values",
    output: "logits",
    tokens: { prefix: 1, grid: [2, 2] },
    options: { startLayer: 0, normalizeRows: false },
  });
  expect(report.diagnostics).toEqual([]);
});

test("the read-out in words", () => {
  expect(compile(vit(style)).report.metadata!.readout).toBe("token 0");
});
