import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { preprocess, readPreprocessing } from "../src/index.js";
import { bytes, largestDifference, synthetic } from "./synthetic.js";

interface Golden {
  config: Record<string, unknown>;
  raw: Record<string, unknown>;
  width: number;
  height: number;
  dims: number[];
  data: string;
}
const goldens: Golden[] = JSON.parse(readFileSync(new URL("./golden/preprocess.json", import.meta.url), "utf8"));

describe("the tensors of transformers", () => {
  for (const g of goldens) {
    for (const form of ["config", "raw"] as const) {
      const what = form === "config" ? "as saved" : "with defaults left out";
      test(`${JSON.stringify(g.raw)} on ${g.width}x${g.height}, ${what}`, () => {
        const out = preprocess(synthetic("soft", g.width, g.height, 3), readPreprocessing(g[form]));
        expect(out.dims).toEqual(g.dims);
        expect(largestDifference(out.data, new Float32Array(bytes(g.data).buffer))).toBe(0);
      });
    }
  }
});
