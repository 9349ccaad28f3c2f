import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { defaultPreprocessing, preprocess, readPreprocessing } from "../src/index.js";
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

describe("four channels", () => {
  const settings = {
    ...defaultPreprocessing({ height: 1, width: 2 }, { channels: 4 }),
    mean: null,
    std: null,
    rescale: null,
  };
  const rgb = { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;

  test("a picture without alpha is opaque", () => {
    const { data, dims } = preprocess(rgb, settings);
    expect(dims).toEqual([1, 4, 1, 2]);
    expect([...data]).toEqual([1, 4, 2, 5, 3, 6, 255, 255]);
  });

  test("alpha is the last one, also where red and blue change places", () => {
    const rgba = { width: 2, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 9, 4, 5, 6, 8) } as const;
    expect([...preprocess(rgba, settings).data]).toEqual([1, 4, 2, 5, 3, 6, 9, 8]);
    expect([...preprocess(rgba, { ...settings, flipChannels: true }).data]).toEqual([3, 6, 2, 5, 1, 4, 9, 8]);
    expect(preprocess(rgba, settings).seen.channels).toBe(3);
  });
});
