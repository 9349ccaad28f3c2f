/** If it can be printed it can be tested: the whole explanation of one small model, line by line. */
import { describe, expect, test } from "vitest";
import { ModelWriter, real } from "../../../test/support/model.js";
import { vit } from "../../../test/support/vit.js";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { parseGraph } from "../src/emit/text/parse.js";
import { formatGraph, printGraph } from "../src/emit/text/print.js";
import { VitrailError } from "../src/errors.js";
import { readModel } from "../src/onnx/model.js";
import type { Tensor } from "../src/tensor/tensor.js";
import { printsItsPatch, readsBack } from "./support/printed.js";

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

describe("is read back", () => {
  test.each(["attention-rollout", "generic-attention", "transformer-attribution", "lrp"])("%s", (method) => {
    printsItsPatch(compile(vit(style), { method }));
    printsItsPatch(compile(vit(style), { method, severalTargets: true }));
    readsBack(importModel(readModel(vit(style))));
  });

  const small = "graph (x: f32[n,2]) -> (y: f32[n,2]) opset 17 {\n  %y = Relu(%x) : f32[n,2]\n}\n";
  test("comments and white space say nothing", () => {
    const spaced = small.replace("%y = ", "# twice as long\n\n%y   =\n  ").replace("}", "} # done");
    expect(parseGraph(spaced)).toEqual(parseGraph(small));
    expect(formatGraph(parseGraph(spaced))).toBe(small);
  });

  test("names of every kind, constants, attributes", () => {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("in put", "float32", ["a,b", "?", "3", 2]);
    const named = m.weights([0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1e-30, 16777217], [3, 2], "float32", '"w"');
    const seven = m.op("Add", [x, named], {}, ["7"]);
    const cut = m.op("Slice", [seven, m.ints([0]), m.constant(int64(2n ** 63n - 1n)), m.ints([3])], {}, ["cut:0"]);
    const odd = m.op("Odd", [cut, ""], { alpha: real(0.1), mode: 'a "b" #', list: [1, 2], none: [], one: [1] }, [
      "%y,",
    ]);
    m.output(odd);
    const graph = importModel(readModel(m.bytes()));
    readsBack(graph);
    const text = printGraph(graph);
    expect(text).toContain('("in put": f32["a,b","?","3",2])');
    expect(text).toContain('%"\\"w\\"" = const f32[3,2](0.1,-0,NaN,-Infinity,1e-30,16777216)');
    expect(text).toContain('%"7" = Add(%"in put", %"\\"w\\"")');
    expect(text).toContain("i64[1](9223372036854775807)");
    expect(text).toContain('{alpha: 0.1, mode: "a \\"b\\" #", list: [1,2], none: [], one: [1]}');
  });

  test.each([
    ["graf ()", 1, 1, '"graph" should stand there'],
    [small.replace("Relu(%x)", "Relu(%x"), 2, 16, '"," or ")" should'],
    [small.replace("Relu(%x)", "Relu(%z)"), 2, 13, "a value that an input, a constant or a node makes"],
    [small.replace("f32[n,2]\n", "f32[n,2], f32[n]\n"), 2, 19, "1 types"],
    [small.replace("Relu(%x)", "Relu(%x) {axis: one}"), 2, 24, "a number"],
    [small.replace("  %y", "  %x = Relu(%x) : f32[n,2]\n  %y"), 2, 3, "a value that nothing else makes"],
    [small.replace("%x", '%"x'), 2, 14, "a name"],
    [small.replace("}", ""), 4, 1, '"%" should stand there, not the end'],
    [`${small}more`, 4, 1, "the end should"],
  ])("or refused with line and column: %#", (text, line, column, why) => {
    const error = thrown(() => parseGraph(text));
    expect(error.diagnostics[0]).toMatchObject({ code: "E004", at: `line ${line}, column ${column}` });
    expect(error.diagnostics[0]!.why).toContain(why);
  });
});

function thrown(task: () => unknown): VitrailError {
  try {
    task();
  } catch (error) {
    if (error instanceof VitrailError) return error;
  }
  throw new Error("it was not refused");
}

const int64 = (x: bigint): Tensor => ({ type: "int64", dims: [1], bytes: new Uint8Array(BigInt64Array.of(x).buffer) });
