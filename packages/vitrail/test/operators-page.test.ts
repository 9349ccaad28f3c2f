/** docs/operators.md says what the registry says. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { operators } from "../src/ops/registry.js";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const page = read("docs/operators.md");

test("the page is what npm run docs would write now", async () => {
  const script = new URL("../../../scripts/operator-table.js", import.meta.url).href;
  const { operatorPage } = (await import(script)) as { operatorPage: (registry: typeof operators) => string };
  expect(page).toBe(operatorPage(operators));
});

test("every operator of the two sets has one line, and what the compiler knows is among them", () => {
  const list = JSON.parse(read("scripts/operator-list.json")) as Record<"onnx" | "com.microsoft", string[]>;
  for (const names of [list.onnx, list["com.microsoft"]]) expect(new Set(names).size).toBe(names.length);
  const listed = new Set([...list.onnx, ...list["com.microsoft"].map((name) => `com.microsoft::${name}`)]);
  const others = [...operators.keys()].filter((name) => !listed.has(name));
  expect(others.sort()).toMatchInlineSnapshot(`
    [
      "QuantizeStraightThrough",
      "SimplifiedLayerNormalization",
      "com.microsoft.nchwc::Conv",
      "com.microsoft.nchwc::ReorderInput",
      "com.microsoft.nchwc::ReorderOutput",
    ]
  `);
});
