import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  colorAt,
  colormaps,
  formatNumber,
  formatPercent,
  keepSign,
  makeScale,
  makeScales,
  onSource,
  PictureError,
  position,
  strength,
  sumCells,
  sumChannels,
  summarize,
  upsample,
} from "../src/index.js";

const grid = (rows: number, columns: number, values: ArrayLike<number>) => ({ rows, columns, values });

describe("coarser units", () => {
  test("a patch holds the sum of its pixels, and the map keeps its sum", () => {
    const pixels = grid(4, 4, [1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, 0, 0, 1, 0]);
    expect(Array.from(sumCells(pixels, 2, 2).values)).toEqual([14, 22, -3, -6]);
    expect(Array.from(sumCells(pixels, 4, 4).values)).toEqual(Array.from(pixels.values));
    expect(Array.from(sumCells(grid(3, 1, [1, 2, 4]), 2, 1).values)).toEqual([3, 4]);
  });

  test("pixels beside the patches belong to none of them", () => {
    const pixels = grid(
      3,
      5,
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
    const region = { x: 0, y: 0, width: 4, height: 2 };
    expect(Array.from(sumCells(pixels, 1, 2, region).values)).toEqual([1 + 2 + 6 + 7, 3 + 4 + 8 + 9]);
  });

  test("a part of the tensor is found again on the picture, cropped and enlarged as it was", () => {
    const geometry = {
      source: { width: 200, height: 100 },
      tensor: { width: 70, height: 50 },
      rectangle: { x: 30, y: 0, width: 140, height: 100 },
    };
    const region = { x: 0, y: 0, width: 64, height: 48 };
    expect(onSource(geometry, region)).toEqual({ x: 30, y: 0, width: 128, height: 96 });
  });
});

describe("upsampling", () => {
  test("bilinear is PyTorch's example for nn.Upsample(scale_factor=2, mode='bilinear')", () => {
    expect([...upsample(grid(2, 2, [1, 2, 3, 4]), 4, 4, "bilinear")]).toEqual([
      1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4,
    ]);
  });
  test("nearest shows blocks", () => {
    expect([...upsample(grid(1, 2, [5, 6]), 4, 2)]).toEqual([5, 5, 6, 6, 5, 5, 6, 6]);
  });
  test("nearest by whole factors keeps the sum; bilinear stays within the range", () => {
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(
        size,
        size,
        size,
        size,
        fc.infiniteStream(fc.integer({ min: -100, max: 100 })),
        (r, c, fy, fx, stream) => {
          const values = Array.from({ length: r * c }, () => stream.next().value as number);
          const total = (a: ArrayLike<number>) => Array.from(a).reduce((x, y) => x + y, 0);
          const near = upsample(grid(r, c, values), c * fx, r * fy);
          const linear = upsample(grid(r, c, values), c * fx + 1, r * fy + 2, "bilinear");
          expect(total(near)).toBe(total(values) * fx * fy);
          expect(Math.max(...linear)).toBeLessThanOrEqual(Math.max(...values) + 1e-4);
          expect(Math.min(...linear)).toBeGreaterThanOrEqual(Math.min(...values) - 1e-4);
        },
      ),
    );
  });
  test("outside of the rectangle there is no value", () => {
    const out = upsample(grid(1, 2, [1, 2]), 6, 1, "nearest", { x: 1, y: 0, width: 4, height: 1 });
    expect([...out]).toEqual([Number.NaN, 1, 1, 2, 2, Number.NaN]);
  });
  test("a rectangle beyond the picture shows its part of the map", () => {
    expect([...upsample(grid(1, 4, [1, 2, 3, 4]), 2, 1, "nearest", { x: -1, y: 0, width: 4, height: 1 })]).toEqual([
      2, 3,
    ]);
  });
  test("a missing value does not spread with nearest", () => {
    expect([...upsample(grid(1, 3, [1, Number.NaN, 3]), 3, 1)]).toEqual([1, Number.NaN, 3]);
    expect([...upsample(grid(1, 3, [1, Number.NaN, 3]), 3, 1, "bilinear")]).toEqual([1, Number.NaN, 3]);
  });
  test("a wrong number of values is refused", () => {
    expect(() => upsample(grid(2, 2, [1, 2, 3]), 4, 4)).toThrow(PictureError);
  });
});

test("channels are summed in both layouts, signs can be kept", () => {
  expect([...(sumChannels([1, 2, 10, 20, 100, 200], 3, 1, 2).values as Float32Array)]).toEqual([111, 222]);
  expect([...(sumChannels([1, 2, 10, 20, 100, 200], 3, 1, 2, "nhwc").values as Float32Array)]).toEqual([13, 320]);
  const map = grid(1, 3, [-2, 0, 3]);
  expect(Array.from(keepSign(map, "positive").values)).toEqual([0, 0, 3]);
  expect(Array.from(keepSign(map, "negative").values)).toEqual([2, 0, 0]);
  expect(Array.from(keepSign(map, "absolute").values)).toEqual([2, 0, 3]);
});

describe("scale", () => {
  const a = grid(1, 4, [1, 2, 3, 4]);
  const b = grid(1, 4, [0, 0, 0, 8]);
  test("map, set and fixed", () => {
    expect(makeScales([a, b], { mode: "map" }).map((s) => s.max)).toEqual([4, 8]);
    const [one, two] = makeScales([a, b]);
    expect(one).toBe(two);
    expect(one).toMatchObject({ min: 0, max: 8, signed: false });
    expect(makeScales([a, b], { mode: "fixed", min: 0, max: 3 })[0]).toMatchObject({ max: 3, outside: 2 });
  });
  test("a negative value makes it signed, with zero in the middle", () => {
    const s = makeScale(grid(1, 3, [-1, 0, 4]));
    expect(s).toMatchObject({ min: -4, max: 4, signed: true });
    expect([-4, 0, 4, 9].map((v) => position(s, v))).toEqual([0, 0.5, 1, 1]);
    expect([-4, -2, 0, 2].map((v) => strength(s, v))).toEqual([1, 0.5, 0, 0.5]);
  });
  test("clipping is numpy's percentile and is counted", () => {
    const s = makeScale(
      grid(
        1,
        101,
        Array.from({ length: 101 }, (_, i) => i),
      ),
      { clip: 5 },
    );
    expect(s).toMatchObject({ min: 0, max: 95, clip: 5, outside: 5 });
    expect(makeScale(a, { from: "minimum" }).min).toBe(1);
  });
  test("an even map is no division by zero, missing values are left out", () => {
    const zero = makeScale(grid(1, 3, [0, 0, 0]));
    expect(position(zero, 0)).toBe(0);
    expect(makeScale(grid(1, 3, [Number.NaN, 2, Number.POSITIVE_INFINITY])).max).toBe(2);
    expect(position(makeScale(a), Number.NaN)).toBeNaN();
  });
  test("lopsided signed scales and large clips are refused", () => {
    expect(() => makeScale(a, { mode: "fixed", min: -1, max: 3 })).toThrow(/-3 to 3/);
    expect(() => makeScale(a, { mode: "fixed", min: 1 })).toThrow(PictureError);
    expect(() => makeScale(a, { clip: 20 })).toThrow(PictureError);
  });
});

describe("colour maps", () => {
  const lightness = (c: readonly number[]) => {
    const linear = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return Math.cbrt(0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!);
  };
  test("known ends of matplotlib's maps", () => {
    expect(colorAt(colormaps.viridis, 0)).toEqual([68, 1, 84]);
    expect(colorAt(colormaps.viridis, 1)).toEqual([253, 231, 37]);
    expect(colorAt(colormaps.magma, 2)).toEqual([252, 253, 191]);
  });
  test("sequential maps get lighter at every step, the diverging one is symmetric in lightness", () => {
    for (const map of Object.values(colormaps)) {
      expect(map.table).toHaveLength(768);
      const l = Array.from({ length: 256 }, (_, i) => lightness(colorAt(map, i / 255)));
      for (let i = 8; i < 256; i += 8) {
        if (map.kind === "sequential") expect(l[i]!).toBeGreaterThan(l[i - 8]!);
        else expect(Math.abs(l[i]! - l[255 - i]!)).toBeLessThan(0.06);
      }
    }
    expect(Math.min(...colorAt(colormaps["blue-white-red"], 0.5))).toBeGreaterThan(240);
  });
});

describe("summary", () => {
  const corner = grid(3, 3, [9, 0, 0, 0, 0, 0, 0, 0, 1]);
  test("the smallest set that holds the share", () => {
    expect(summarize(corner, { label: "WBC" })).toEqual({
      sentence: "90 % of the positive relevance for WBC lies in 1 of 9 patches, upper left.",
      share: 0.9,
      patches: [0],
      region: "upper left",
    });
    expect(summarize(corner, { label: "x", share: 0.95 }).patches).toEqual([0, 8]);
    expect(summarize(corner, { label: "x", top: 5 })).toMatchObject({ share: 1, patches: [0, 8] });
  });
  test.each([
    [4, "centre"],
    [1, "upper centre"],
    [3, "centre left"],
    [8, "lower right"],
  ])("patch %i is %s", (at, region) => {
    expect(
      summarize(
        grid(
          3,
          3,
          Array.from({ length: 9 }, (_, i) => (i === at ? 1 : 0)),
        ),
        { label: "x" },
      ).region,
    ).toBe(region);
  });
  test("an even map and two opposite corners are spread out", () => {
    expect(summarize(grid(12, 12, new Float32Array(144).fill(1)), { label: "x", share: 1 }).region).toBe("spread out");
    expect(summarize(grid(3, 3, [1, 0, 0, 0, 0, 0, 0, 0, 1]), { label: "x", share: 1 }).region).toBe("spread out");
  });
  test("both signs are said, with their sums", () => {
    const signed = grid(2, 2, [3, 1, -0.5, -1.5]);
    const { sentence, share, patches } = summarize(signed, { label: "A rather than B" });
    expect(sentence).toBe(
      "75 % of the positive relevance for A rather than B lies in 1 of 4 patches, upper left. " +
        "75 % of the negative relevance lies in 1, lower right. In all 4 speaks for it and 2 against it.",
    );
    expect([share, patches]).toEqual([0.75, [0]]);
    expect(summarize(grid(1, 2, [1, 3]), { label: "A" }).sentence).not.toContain("against");
  });
  test("nothing positive", () => {
    expect(summarize(grid(1, 3, [-1, 0, Number.NaN]), { label: "RBC" }).sentence).toBe(
      "No positive relevance for RBC. 100 % of the negative relevance lies in 1, centre left. In all 0 speaks for it and 1 against it.",
    );
  });
  test("the set is minimal and holds the share, whatever the map", () => {
    const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.05, max: 1, noNaN: true }), (v, share) => {
        const map = grid(1, v.length, v);
        const result = summarize(map, { label: "x", share });
        const total = v.reduce((s, x) => s + Math.max(0, x), 0);
        if (total === 0) return result.patches.length === 0;
        const weakest = Math.max(0, v[result.patches.at(-1)!]!) / total;
        return result.share >= share - 1e-9 && result.share - weakest < share;
      }),
    );
  });
  test("the share holds where its product with the total would be rounded", () => {
    const [least, share] = [2.5e-323, 0.3333333343333334];
    expect(summarize(grid(1, 3, [least, least, least]), { label: "x", share }).patches).toEqual([0, 1]);
  });
  test("top 0 and share 0 make no sense", () => {
    expect(() => summarize(corner, { label: "x", top: 0 })).toThrow(PictureError);
    expect(() => summarize(corner, { label: "x", share: 0 })).toThrow(PictureError);
  });
});

test("numbers on legends", () => {
  const shown = [0, 0.0118321, -2.5, 1234.5, 0.000015, -1e-7, 250000, 99999].map(formatNumber);
  expect(shown).toEqual(["0", "0.0118", "−2.5", "1230", "1.5e−5", "−1.0e−7", "2.5e5", "100000"]);
  expect([0, 0.00001, 0.0153, 0.62, 0.9999, 1].map(formatPercent)).toEqual([
    "0 %",
    "<0.1 %",
    "1.5 %",
    "62 %",
    "99.9 %",
    "100 %",
  ]);
});
