import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chooseFiles, chooseModel, externalNames } from "../src/model/choose.js";
import { labelsOf, openFile, openFolder } from "../src/model/folder.js";
import { isHubId, openModel } from "../src/model/open.js";

describe("choosing a model", () => {
  const paths = ["config.json", "onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/model_fp16.onnx"];

  test("full precision unless asked", () => {
    expect(chooseModel(paths, "x")).toBe("onnx/model.onnx");
    expect(chooseModel(paths, "x", "q8")).toBe("onnx/model_quantized.onnx");
    expect(() => chooseModel(paths, "x", "q4")).toThrow(/no model of dtype q4 but: onnx\/model\.onnx/);
  });

  test("the only one, whatever its name", () => {
    expect(chooseModel(["blood.onnx"], "x")).toBe("blood.onnx");
  });

  test("several or none are refused", () => {
    expect(() => chooseModel(["a.onnx", "b.onnx"], "x")).toThrow(/several models: a\.onnx, b\.onnx/);
    expect(() => chooseModel(["config.json"], "x")).toThrow(/no \.onnx file[\s\S]*optimum-cli/);
  });

  test("two towers answer prompts together, and are two models otherwise", () => {
    const towers = ["onnx/vision_model.onnx", "onnx/text_model.onnx", "onnx/vision_model_fp16.onnx"];
    expect(chooseFiles(towers, "x", undefined, "pair")).toEqual({ model: towers[0], text: towers[1] });
    expect(chooseFiles([...towers, "onnx/model.onnx"], "x", undefined, "pair")).toEqual({ model: "onnx/model.onnx" });
    expect(() => chooseFiles(towers, "x")).toThrow(/several models[\s\S]*--prompt/);
    expect(() => chooseFiles(towers, "x", "fp16", "pair")).toThrow(/no model of dtype fp16/);
  });

  test("weights beside the model belong to it", () => {
    const all = [
      ...paths,
      "onnx/model.onnx_data",
      "onnx/model.onnx_data_1",
      "onnx/other.onnx_data",
      "onnx/model.onnx.data",
    ];
    expect(externalNames(all, "onnx/model.onnx")).toHaveLength(3);
  });
});

test("a file that no ONNX file can be", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vitrail-test-"));
  const path = join(folder, "large.onnx");
  writeFileSync(path, "");
  truncateSync(path, 2 ** 31); // a hole: it takes no space
  const error = await openModel(path, {}, undefined as never).catch((e: Error) => e.message.replace(folder, "."));
  rmSync(folder, { recursive: true });
  expect(error).toMatchInlineSnapshot(`
    "E003 the model file is too large
      at    ./large.onnx
      why   it has 2.15 GB, and a protobuf message ends at 2.14 GB: no runtime reads more
      try   keep the weights beside the model: onnx.save(model, path, save_as_external_data=True, location="model.onnx_data")"
  `);
});

describe("a folder", () => {
  const make = () => {
    const folder = mkdtempSync(join(tmpdir(), "vitrail-"));
    mkdirSync(join(folder, "onnx"));
    writeFileSync(join(folder, "onnx", "model.onnx"), "");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ id2label: { 1: "b", 0: "a" } }));
    writeFileSync(join(folder, "preprocessor_config.json"), "{}");
    return folder;
  };

  test("is read in the layout of transformers.js", async () => {
    const folder = make();
    const files = await openFolder(folder);
    expect(files.file).toBe(join(folder, "onnx", "model.onnx"));
    expect(files.labels).toEqual(["a", "b"]);
    expect(files.preprocessor).toEqual({});
    expect(files.tokenizer).toBeUndefined();
  });

  test("is found from the model file too", async () => {
    const folder = make();
    const files = await openFile(join(folder, "onnx", "model.onnx"));
    expect(files.labels).toEqual(["a", "b"]);
    expect(files.name).toBe("model.onnx");
  });

  test("with a broken config is refused", async () => {
    const folder = make();
    writeFileSync(join(folder, "config.json"), "{");
    await expect(openFolder(folder)).rejects.toThrow(/E087[\s\S]*config\.json/);
  });
});

test("labels with gaps keep their places", () => {
  expect(labelsOf({ id2label: { 0: "a", 2: "c" } })).toEqual(["a", "class 1", "c"]);
  expect(labelsOf({})).toBeUndefined();
});

test("a Hub id has an owner and a name", () => {
  expect(isHubId("onnx-community/vit-tiny.1")).toBe(true);
  for (const no of ["model.onnx", "./a/b", "a/b/c", "../x", "/abs/path"]) expect(isHubId(no)).toBe(false);
});
