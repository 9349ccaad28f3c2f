/** The printed graph of every model that there is, read back. */
import { describe, expect, test } from "vitest";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { readModel } from "../src/onnx/model.js";
import { families, fileOf } from "./collection/collection.js";
import { cases, modelOf } from "./golden/golden.js";
import { printsItsPatch, readsBack } from "./support/printed.js";

describe.each(families.map((f) => [f.family, f] as const))("%s", (_, { maps, output, spellings }) => {
  test.each(spellings.map(({ spelling, file }) => [spelling, file]))("%s", (_, file) => {
    const model = fileOf(file!);
    readsBack(importModel(readModel(model)));
    for (const { explains } of maps) printsItsPatch(compile(model, { explains, output }));
  });
});

const goldens = cases.flatMap((c) => c.spellings.map(({ name }) => [c.case, name, modelOf(c, name)] as const));
test.each(goldens)("golden %s, %s", (_, _name, model) => {
  expect(model.length).toBeGreaterThan(0);
  readsBack(importModel(readModel(model)));
  for (const method of ["transformer-attribution", "lrp", "gradient-x-input"])
    printsItsPatch(compile(model, { method }));
});
