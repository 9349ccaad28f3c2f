/** How an output is read: labels that fit, shares of the file itself, places on dense outputs. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Metadata } from "vitrail";
import type { Findings } from "vitrail/node";
import { classesAt, topOf } from "../src/explain/logits.js";
import { outputView } from "../src/explain/output.js";
import { cellOf } from "../src/explain/place.js";
import type { Sample } from "../src/explain/sample.js";
import { refuseVectors } from "../src/explain/set-up.js";
import { parseContrast, parseTarget, readPixel } from "../src/explain/wanted.js";
import { chosenFrom } from "../src/explain/work.js";
import { readTextFile } from "../src/input/text-sample.js";
import { readLabels } from "../src/model/folder.js";

type Axes = NonNullable<Metadata["target"]["axes"]>;
const findings = (dims: (number | string)[], axes: Axes, rest: Partial<Metadata> = {}) =>
  ({
    outputs: [{ name: "color", type: "float32", dims }],
    metadata: { output: "color", target: { name: "target", mode: "index", several: false, axes }, ...rest },
  }) as unknown as Findings;

const folder = mkdtempSync(join(tmpdir(), "vitrail-output-"));
const written = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("labels", () => {
  const animals = ["cat", "dog", "cow"];
  const heads = findings(["batch", 2], ["class"]);

  test("of another head are not used, and that is said", () => {
    const { labels, notes } = outputView(heads, { labels: animals });
    expect(labels).toBeUndefined();
    expect(notes).toEqual([
      'the labels beside the model are not those of "color" (there are 3 labels, and the explained output has 2 classes): classes are called by their numbers',
    ]);
    expect(outputView(heads, { labels: ["red", "blue"] })).toMatchObject({ labels: ["red", "blue"], notes: [] });
  });

  test("that were named and do not fit are refused", () => {
    const files = { labels: animals, labelsFile: "animals.txt" };
    expect(() => outputView(heads, files)).toThrow(/E044[\s\S]*animals.txt[\s\S]*3 labels[\s\S]*2 classes/);
  });

  test("of one score are the second of two, which it is high for", () => {
    const one = findings(["batch", 1], ["class"]);
    const view = outputView(one, { labels: ["benign", "malignant"] });
    expect(view).toMatchObject({ labels: ["malignant"], reading: { kind: "independent" } });
    expect(outputView(one, { labels: ["LABEL_0", "LABEL_1"] })).toMatchObject({
      labels: undefined,
      notes: [],
      reading: { kind: "value" },
    });
    expect(outputView(one, { labels: ["price"] })).toMatchObject({ labels: ["price"], reading: { kind: "value" } });
  });

  test("of a file keep their lines, blank ones included", async () => {
    expect(await readLabels(written("labels.txt", "sky\r\n\r\nroad\r\n\r\n"))).toEqual(["sky", "class 1", "road"]);
  });
});

test("line 5 of a text file stays number 5", async () => {
  const texts = await readTextFile(written("t.txt", "one\ntwo\nthree\n\nfive\n"));
  expect(texts.map(({ text, line }) => [text, line])).toEqual([
    ["one", 1],
    ["two", 2],
    ["three", 3],
    ["five", 5],
  ]);
});

describe("numbers", () => {
  const activation = (name: string, exclusive: boolean) =>
    ({ activation: { function: name, node: "", exclusive } }) as Partial<Metadata>;
  test.each([
    [{}, {}, "exclusive", "scores"],
    [{}, { problem_type: "multi_label_classification" }, "independent", "scores"],
    [{}, { problem_type: "regression" }, "value", "scores"],
    [activation("softmax", true), {}, "exclusive", "shares"],
    [activation("log-softmax", true), {}, "exclusive", "log shares"],
    [activation("softmax", false), {}, "independent", "shares"],
    [activation("sigmoid", false), { problem_type: "single_label_classification" }, "independent", "shares"],
  ])("%o with %o are %s, given as %s", (rest, config, kind, given) => {
    expect(outputView(findings(["batch", 3], ["class"], rest), { config }).reading).toEqual({ kind, given });
  });

  test("of a map without classes are values", () => {
    const view = outputView(findings(["batch", 8, 8], ["row", "column"]), { labels: ["a", "b"] });
    expect(view).toMatchObject({ classAt: undefined, labels: undefined, reading: { kind: "value" }, notes: [] });
    expect(outputView(findings(["batch", 1, 8, 8], ["class", "row", "column"]), {}).reading.kind).toBe("value");
  });

  test("of vectors are no classes, of texts as of pictures", () => {
    const vector = { metadata: { output: "image_embeds" } as Metadata };
    expect(() => refuseVectors({}, vector, "picture")).toThrow(/E091[\s\S]*--similar-to PICTURE/);
    expect(() => refuseVectors({}, vector, "text")).toThrow(/--similar-to TEXT/);
    expect(() => refuseVectors({ target: ["5"] }, vector, "picture")).not.toThrow();
    expect(() => refuseVectors({}, { metadata: { output: "logits" } as Metadata }, "picture")).not.toThrow();
  });
});

describe("a dense output", () => {
  const dense = { axes: ["class", "row", "column"], classAt: 0 } as const;
  const classes = { labels: ["sky", "road", "a@b"], count: 3 };
  // [class, row, column] = [3, 2, 2]
  const said = { values: Float32Array.of(0, 1, 2, 3, 9, 5, 6, 7, 8, 0, 0, 10), axes: [3, 2, 2] };
  const picture = {
    kind: "picture",
    name: "p",
    geometry: { source: { width: 40, height: 20 }, rectangle: { x: 10, y: 0, width: 20, height: 20 } },
  } as unknown as Sample;
  const chosen = (text: string, at?: { x: number; y: number }) =>
    chosenFrom({ ...parseTarget(text, classes, dense), ...(at && { at }) }, dense, picture, said);

  test("is read along its classes, at one place", () => {
    expect([...classesAt(said.values, said.axes, 0, [2, 1, 0])]).toEqual([2, 6, 0]);
    expect([...classesAt(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], 1, [1, 0])]).toEqual([4, 5, 6]);
    expect([...classesAt(said.values, [12], undefined, [7])]).toEqual([7]);
    expect(topOf(said.values, said.axes, 2)).toEqual([
      [2, 1, 1],
      [1, 0, 0],
    ]);
    expect(topOf(said.values, said.axes, 2, [undefined, 0, 1])).toEqual([
      [1, 0, 1],
      [0, 0, 1],
    ]);
  });

  test("is addressed by class, row and column, or where the class is surest", () => {
    expect(chosen("road@1,0")).toEqual([
      {
        kind: "class",
        index: [1, 1, 0],
        class: 1,
        places: [
          ["row", 1],
          ["column", 0],
        ],
      },
    ]);
    expect(chosen("road")).toMatchObject([{ index: [1, 0, 0] }]);
    expect(chosen("a@b")).toMatchObject([{ index: [2, 1, 1] }]);
    expect(chosen("@0,1")).toMatchObject([{ index: [1, 0, 1] }]);
    expect(chosen("top2@0,1")).toMatchObject([{ index: [1, 0, 1] }, { index: [0, 0, 1] }]);
    expect(() => chosen("road@1")).toThrow(/E045[\s\S]*2 numbers: row, column[\s\S]*road@row,column/);
    expect(() => parseTarget("road@1,2", classes)).toThrow(/E045[\s\S]*whole input/);
    const contrast = parseContrast("road:sky@1,1", classes, dense);
    expect(chosenFrom(contrast, dense, picture, said)).toMatchObject([{ index: [1, 1, 1], against: [0, 1, 1] }]);
  });

  test("a pixel of the picture is the cell that holds it", () => {
    // The tensor shows the middle 20 pixels.
    expect(chosen("sky", { x: 10, y: 0 })).toMatchObject([{ index: [0, 0, 0] }]);
    expect(chosen("sky", { x: 19, y: 9 })).toMatchObject([{ index: [0, 0, 0] }]);
    expect(chosen("sky", { x: 20, y: 10 })).toMatchObject([{ index: [0, 1, 1] }]);
    expect(() => chosen("sky", { x: 5, y: 5 })).toThrow(/E045[\s\S]*cropped/);
    expect(() => chosen("sky", { x: 40, y: 5 })).toThrow(/E045[\s\S]*40 x 20 pixels/);
    expect(() => cellOf({ x: 1, y: 1 }, { axes: ["class"] }, picture, [3])).toThrow(/whole picture/);
    expect(readPixel("3, 4")).toEqual({ x: 3, y: 4 });
    expect(() => readPixel("3")).toThrow(/E080[\s\S]*--at x,y/);
  });

  test("a map of values has no classes to name", () => {
    const map = { axes: ["row", "column"], classAt: undefined } as const;
    expect(chosenFrom(parseTarget("@1,0", {}, map), map, picture, { values: said.values, axes: [3, 4] })).toMatchObject(
      [{ index: [1, 0], class: 0 }],
    );
    expect(() => parseTarget("road", {}, map)).toThrow(/E084[\s\S]*map of values/);
  });
});
