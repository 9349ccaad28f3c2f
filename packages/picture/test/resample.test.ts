import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Filter, PictureError, resample } from "../src/index.js";
import { bytes, fnv, largestDifference, synthetic } from "./synthetic.js";

interface Golden {
  kind: string;
  width: number;
  height: number;
  channels: 1 | 3 | 4;
  to: [number, number];
  filter: Filter;
  data?: string;
  fnv?: number;
}
const goldens: Golden[] = JSON.parse(readFileSync(new URL("./golden/resample.json", import.meta.url), "utf8"));

describe("the pixels of Pillow, bit by bit", () => {
  for (const g of goldens) {
    test(`${g.filter} ${g.width}x${g.height}x${g.channels} -> ${g.to.join("x")}`, () => {
      const out = resample(synthetic(g.kind, g.width, g.height, g.channels), ...g.to, g.filter);
      expect([out.width, out.height, out.channels]).toEqual([...g.to, g.channels]);
      if (g.data) expect(largestDifference(out.data, bytes(g.data))).toBe(0);
      else expect(fnv(out.data)).toBe(g.fnv);
    });
  }
});

const filters = fc.constantFrom<Filter>("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos");
const side = fc.integer({ min: 1, max: 40 });

test("a constant picture stays constant", () => {
  fc.assert(
    fc.property(side, side, side, side, filters, fc.integer({ min: 0, max: 255 }), (w, h, u, v, filter, value) => {
      const data = new Uint8Array(w * h * 3).fill(value);
      const out = resample({ width: w, height: h, channels: 3, data }, u, v, filter);
      return out.data.length === u * v * 3 && out.data.every((x) => x === value);
    }),
  );
});

test("mirroring and resampling commute for the symmetric filters", () => {
  const input = synthetic("noise", 24, 1, 1);
  const mirrored = { ...input, data: Uint8Array.from(input.data).reverse() };
  for (const filter of ["bilinear", "bicubic", "lanczos", "hamming"] as const) {
    const a = resample(input, 7, 1, filter).data;
    const b = resample(mirrored, 7, 1, filter).data.reverse();
    expect(largestDifference(a, b)).toBeLessThanOrEqual(1);
  }
});

test("the input is not written to, and the same size is a copy", () => {
  const input = synthetic("noise", 6, 5, 3);
  const before = Uint8Array.from(input.data);
  const same = resample(input, 6, 5, "bicubic");
  same.data.fill(0);
  resample(input, 3, 9, "lanczos");
  expect(input.data).toEqual(before);
});

test("a size of 0 and a raster that is too short are refused with a hint", () => {
  expect(() => resample(synthetic("noise", 6, 5, 3), 0, 5, "box")).toThrow(PictureError);
  try {
    resample({ width: 4, height: 4, channels: 3, data: new Uint8Array(47) }, 2, 2, "box");
    expect.unreachable();
  } catch (error) {
    expect((error as PictureError).code).toBe("bad-raster");
    expect((error as PictureError).problems[0]?.try).not.toBe("");
  }
});
