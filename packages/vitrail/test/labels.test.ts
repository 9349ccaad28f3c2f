/** Classes by name: what is meant, what may be two, and what a target's numbers are. */
import { describe, expect, test } from "vitest";
import { withEnding } from "../../../test/support/ending.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { axisNames } from "../src/flow/output.js";
import { inspect } from "../src/inspect.js";
import { Value } from "../src/ir/graph.js";
import { classNamed, fitLabels, labelList } from "../src/runtime/labels.js";
import { classPosition, numbered, targetTensor } from "../src/runtime/target.js";
import { fileOf } from "./collection/collection.js";
import { drivenExplainer, toFeeds } from "./support/driven.js";
import { feedsOf } from "./support/program.js";

describe("a class by name", () => {
  const labels = ["cat", "1", "dog", "cat", "index:0"];
  const named = (text: string) => classNamed(text, { labels, count: 5 });

  test("what may be two classes is asked about", () => {
    expect(() => named("cat")).toThrow(/either of the classes 0 \(cat\), 3 \(cat\)[\s\S]*try +index:0 or index:3/);
    expect(classNamed("index:3", { labels, count: 5 })).toBe(3);
    expect(() => classNamed("1", { labels: ["x", "y", "1"] })).toThrow(/2 \(1\), 1 \(y\)/);
    expect(classNamed("label:1", { labels: ["x", "y", "1"] })).toBe(2);
    expect(classNamed("index:1", { labels: ["x", "y", "1"] })).toBe(1);
  });

  test("a number that is the label of its own class, or of one alone, is plain", () => {
    expect(named("1")).toBe(1);
    expect(classNamed("7", { labels: ["7", "x"] })).toBe(0);
    expect(named("dog")).toBe(2);
    expect(named("index:0")).toBe(4);
  });

  test("id2label may leave classes out", () => {
    expect(labelList({ 0: "a", 2: "c" })).toEqual(["a", "class 1", "c"]);
  });

  test("labels are those of the classes, or of none", () => {
    expect(fitLabels(["a", "b"], 2)).toEqual({ labels: ["a", "b"] });
    expect(fitLabels(["a", "b"], undefined)).toEqual({ labels: ["a", "b"] });
    expect(fitLabels(["no", "yes"], 1)).toEqual({ labels: ["yes"] });
    expect(fitLabels(["a", "b", "c"], 2)).toMatchObject({
      labels: undefined,
      why: expect.stringContaining("3 labels"),
    });
  });

  test("in a target of the library", async () => {
    expect(numbered("dog", { labels })).toBe(2);
    expect(numbered(["dog", 0], { labels })).toEqual([2, 0]);
    expect(numbered([["dog", 4, 5]], { labels })).toEqual([[2, 4, 5]]);
    expect(() => numbered("WBC", {})).toThrow(/E084[\s\S]*createExplainer\(model, \{ labels \}\)/);
    const { explainer } = await drivenExplainer(vit({ depth: 1 }), { method: "generic-attention" });
    await expect(explainer.explain(toFeeds(feedsOf({}, 1)), { target: "dog" })).rejects.toThrow(/E084/);
    await explainer.close();
  });
});

describe("the numbers of a target", () => {
  const axes = (file: Uint8Array, options = {}) =>
    compile(file, { method: "generic-attention", ...options }).report.metadata!.target.axes;

  test("are the class, or where on the output it is", () => {
    expect(axes(vit({ depth: 1 }))).toEqual(["class"]);
    expect(axes(fileOf("dense_vit/ts-op17-plain.onnx"))).toEqual(["class", "row", "column"]);
    expect(axes(fileOf("bert_token_cls/ts-op17-eager.onnx"))).toEqual(["token", "class"]);
    expect(axes(fileOf("bert_qa/ts-op17-eager.onnx"))).toEqual(["token"]);
  });

  test("of queries, of maps and of vectors in a row", () => {
    const names = (shape: number[], reads: "tokens" | "picture" | "other") =>
      axisNames(new Value(0, "float32", shape), reads);
    expect(names([2, 100, 92], "picture")).toEqual(["query", "class"]);
    expect(names([2, 100, 92], "tokens")).toEqual(["token", "class"]);
    expect(names([2, 100, 92], "other")).toEqual(["position", "class"]);
    expect(names([2, 1, 224, 224], "picture")).toEqual(["class", "row", "column"]);
    expect(names([2], "picture")).toEqual(["class"]);
  });

  test("are called by their names where they do not fit", () => {
    const names = ["class", "row", "column"] as const;
    const of = (target: number[]) => () => targetTensor([target], "index", [1, 3, 8, 9], names);
    expect(of([1, 8, 0])).toThrow(/target 8 is not one of the 8 rows/);
    expect(of([1, 0, 9])).toThrow(/target 9 is not one of the 9 columns/);
    expect(of([3, 0, 0])).toThrow(/target 3 is not one of the 3 classes/);
    expect(of([3])).toThrow(/\[\[class, row, column\]\]/);
    expect(classPosition({ target: { name: null, mode: "index", several: false, axes: names } }, 4)).toBe(0);
  });

  test("of the k highest are ranks, and another output is explained where there is one", () => {
    const sorted = (keep: boolean) =>
      withEnding(vit({ depth: 1 }), (m, x) => m.op("TopK", [m.op("Softmax", [x], { axis: -1 }), m.ints([2])], {}, 2), {
        keep,
      });
    expect(inspect(sorted(true), { method: "occlusion" }).metadata!.output).toBe("logits");
    const { output, target } = inspect(sorted(false), { method: "occlusion" }).metadata!;
    expect([output, target.axes]).toEqual(["ended", ["rank"]]);
  });
});
