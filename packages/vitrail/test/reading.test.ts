/** Files that are no models, or broken ones: always a diagnostic, never another error and never a wrong answer. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { vit } from "../../../test/support/vit.js";
import { sortNodes } from "../src/canonicalize/sort.js";
import { compile } from "../src/compile.js";
import { formatDiagnostic, VitrailError } from "../src/errors.js";
import { inspect } from "../src/inspect.js";
import { readModel, writeModel } from "../src/onnx/model.js";

const codesOf = (f: () => unknown): string[] => {
  try {
    f();
  } catch (error) {
    if (error instanceof VitrailError) return error.diagnostics.map((d) => d.code);
    throw error;
  }
  return [];
};

describe("not a model", () => {
  const text = (s: string) => new TextEncoder().encode(s);
  test.each([
    ["an empty file", new Uint8Array()],
    ["text", text("<!DOCTYPE html><html><body>404</body></html>")],
    ["a pointer of git lfs", text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")],
    ["JSON", text('{"architectures": ["ViTForImageClassification"]}')],
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13)],
    ["an archive", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0)],
    ["zeros", new Uint8Array(100)],
    ["an .ort file", Uint8Array.of(32, 0, 0, 0, ...text("ORTM"), 0, 0, 0, 0)],
    ["a model without nodes", new ModelWriter({ opset: 17 }).bytes()],
  ])("%s is refused as such", (_, bytes) => {
    expect(codesOf(() => compile(bytes))).toEqual(["E001"]);
    expect(codesOf(() => inspect(bytes))).toEqual(["E001"]);
  });

  test("an .ort file is told apart", () => {
    const ort = Uint8Array.of(32, 0, 0, 0, ...text("ORTM"), 0, 0, 0, 0);
    expect(() => compile(ort)).toThrow(/\.ort format/);
  });
});

describe("a model cut short", () => {
  const model = vit({ depth: 1, width: 6, heads: 1, classes: 2, mlpRatio: 1, size: 4, patch: 2, norm: "decomposed" });
  test(`at any of its ${model.length} bytes it is refused, or it is whole`, () => {
    for (let length = 0; length < model.length; length += 7) {
      const codes = codesOf(() => compile(model.subarray(0, length)));
      expect(codes, `${length} bytes`).not.toEqual([]);
    }
  });
});

describe("the order of nodes", () => {
  const { node } = readModel(vit({ depth: 1 })).graph!;
  const given = new Set(
    readModel(vit({ depth: 1 }))
      .graph!.initializer.map((i) => i.name)
      .concat("pixel_values"),
  );

  test("is kept where it is one", () => expect(sortNodes(node, given)).toEqual(node));

  test("is found where it is not", () => {
    const sorted = sortNodes([...node].reverse(), given);
    const known = new Set(given);
    for (const n of sorted) {
      expect(n.input.filter((name) => name !== "" && !known.has(name))).toEqual([]);
      for (const name of n.output) known.add(name);
    }
    expect(sorted.length).toBe(node.length);
  });

  test("a cycle and a missing input are errors that name the node", () => {
    const m = new ModelWriter({ opset: 17 });
    m.op("Add", ["x", "late"], {}, ["early"]);
    m.op("Tanh", ["early"], {}, ["late"]);
    expect(() => sortNodes(m.nodes, new Set(["x"]))).toThrow(/E001[\s\S]*\/Add_0|E001[\s\S]*\/Tanh_1/);
    expect(() => sortNodes(m.nodes.slice(1), new Set(["x"]))).toThrow(/"early" is computed nowhere/);
  });

  test("a node that feeds itself", () => {
    const m = new ModelWriter({ opset: 17 });
    m.op("Add", ["x", "y"], {}, ["y"]);
    expect(codesOf(() => sortNodes(m.nodes, new Set(["x"])))).toEqual(["E001"]);
  });
});

describe("what cannot be explained", () => {
  const convolutional = () => {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("pixels", "float32", ["batch", 3, 8, 8]);
    const y = m.op("Relu", [m.op("Conv", [x, m.weights(new Array(54).fill(0.1), [2, 3, 3, 3])])]);
    m.output(m.op("Flatten", [m.op("GlobalAveragePool", [y])]), "float32", ["batch", 2], "logits");
    return m.bytes();
  };

  test("a network without attention, and what to try", () => {
    expect(codesOf(() => compile(convolutional()))).toEqual(["E030"]);
    expect(() => compile(convolutional())).toThrow(/gradient-x-input/);
    expect(compile(convolutional(), { method: "gradient-x-input" }).patch.length).toBeGreaterThan(0);
    const report = inspect(convolutional());
    expect(report.diagnostics.map((d) => d.code)).toEqual(["E030"]);
    expect(report.inputs).toEqual([{ name: "pixels", type: "float32", dims: ["batch", 3, 8, 8] }]);
  });

  test("an unknown operator on the way is named, with its node", () => {
    const m = new ModelWriter({ opset: 17, domains: { "my.domain": 1 } });
    const x = m.input("x", "float32", ["batch", 4]);
    m.output(m.op("Tanh", [m.op("my.domain::Mystery", [m.op("Exp", [x])])]), "float32", ["batch", 4], "y");
    const codes = codesOf(() => compile(m.bytes(), { method: "gradient-x-input" }));
    expect(codes).toEqual(["E020"]);
  });

  test.each([
    ["a method that does not exist", { method: "transformer-atribution" }, "E010"],
    ["an option that the method does not know", { startLayers: 1 }, "E011"],
    ["an option of the wrong type", { startLayer: "one" }, "E016"],
    ["a fraction of a layer", { startLayer: 0.5 }, "E016"],
    ["a negative layer", { startLayer: -1 }, "E016"],
    ["a target mode that does not exist", { target: "best" }, "E015"],
    ["an output that does not exist", { output: "logit" }, "E012"],
    ["an input that does not exist", { explains: "pixels" }, "E013"],
  ])("%s", (_, options, code) => {
    expect(codesOf(() => compile(vit({ depth: 1 }), options as never))).toEqual([code]);
  });

  test("all wrong options are told at once", () => {
    expect(codesOf(() => compile(vit({ depth: 1 }), { startLayer: -1, wrong: 2 } as never))).toEqual(["E016", "E011"]);
  });

  test("a diagnostic as text", () => {
    const text = formatDiagnostic({
      code: "E021",
      kind: "unsupported",
      title: "no gradient",
      at: "a",
      why: "b",
      try: "c",
    });
    expect(text).toBe("E021 no gradient\n  at    a\n  why   b\n  try   c");
  });
});

test("a model comes back as it was written", () => {
  const model = vit({ depth: 1 });
  expect(Buffer.compare(writeModel(readModel(model)), model)).toBe(0);
});
