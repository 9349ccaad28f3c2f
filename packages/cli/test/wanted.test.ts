import { describe, expect, test } from "vitest";
import { editDistance, nearest } from "vitrail/node";
import { parseClass, parseContrast, parseTarget } from "../src/explain/wanted.js";

const labels = ["white blood cell", "platelet", "tabby, tabby cat", "7", "a:b"];

describe("a target", () => {
  test.each([
    ["platelet", 1],
    ["PLATELET", 1],
    ["tabby cat", 2],
    ["0", 0],
    ["7", 3],
    ["tabby, tabby cat", 2],
  ])("%s is class %i", (text, index) => {
    expect(parseClass(text, { labels })).toBe(index);
  });

  test("predicted and topK ask for the ranking", () => {
    expect(parseTarget("predicted", { labels })).toEqual({ kind: "top", count: 1 });
    expect(parseTarget("top3", { labels })).toEqual({ kind: "top", count: 3 });
    expect(parseTarget("top3", { labels: ["top3", "x"] })).toEqual({ kind: "class", index: 0 });
  });

  test("an unknown label comes with near matches", () => {
    expect(() => parseClass("platlet", { labels })).toThrow(/did you mean "platelet"\?/);
    expect(() => parseClass("white", { labels })).toThrow(/did you mean "white blood cell"\?/);
    expect(() => parseClass("zebra", { labels })).toThrow(/one of: white blood cell/);
  });

  test("an index out of range names the range", () => {
    expect(() => parseClass("10", { count: 10 })).toThrow(/10 classes, 0 to 9/);
    expect(parseClass("9", { count: 10 })).toBe(9);
  });

  test("a label without a list of labels says how to give one", () => {
    expect(() => parseClass("dog", { count: 10 })).toThrow(/--labels FILE/);
  });

  test("a name that two classes share is refused", () => {
    expect(() => parseClass("crane", { labels: ["crane, bird", "crane, machine"] })).toThrow(/0 \(crane, bird\)/);
  });
});

describe("a contrast", () => {
  test("splits at the colon that gives two classes", () => {
    expect(parseContrast("platelet:0", { labels })).toEqual({ kind: "contrast", plus: 1, minus: 0 });
    expect(parseContrast("a:b:platelet", { labels })).toEqual({ kind: "contrast", plus: 4, minus: 1 });
  });

  test("needs two classes", () => {
    expect(() => parseContrast("platelet", { labels })).toThrow(/--contrast A:B/);
    expect(() => parseContrast("platelet:dog", { labels })).toThrow(/no such class/);
  });
});

describe("near matches", () => {
  test("distance counts a swap once", () => {
    expect(editDistance("form", "from")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("kitten", "sitting")).toBe(3);
  });

  test("nothing is near to nonsense", () => {
    expect(nearest("qqqqqq", labels)).toEqual([]);
  });
});
