import { describe, expect, test } from "vitest";
import {
  createRgb,
  drawExplanation,
  drawLegend,
  drawMatrix,
  drawRows,
  drawSheet,
  drawText,
  fitPicture,
  fontFor,
  makeScale,
  overlay,
  overlayModes,
  PictureError,
  type Rgb,
  type RgbRaster,
  textWidth,
  themes,
  toRgb,
  wrapText,
} from "../src/index.js";
import { synthetic } from "./synthetic.js";

const white: Rgb = [255, 255, 255];
const pixel = (r: RgbRaster, x: number, y: number) => [
  ...r.data.subarray((y * r.width + x) * 3, (y * r.width + x) * 3 + 3),
];

/** Whether this text stands somewhere in the raster, every pixel of it, ink and paper. */
function holdsText(
  raster: RgbRaster,
  text: string,
  height: number,
  ink: Rgb = themes.light.ink,
  paper: Rgb = white,
): boolean {
  const font = fontFor(height);
  const wanted = createRgb(textWidth(text, font), font.height, paper);
  drawText(wanted, text, 0, 0, font, ink);
  const line = wanted.width * 3;
  const row = (y: number) => Buffer.from(wanted.data.subarray(y * line, (y + 1) * line));
  // look for the inked part of the row with the most ink, then compare everything around it
  const inked = (y: number) => [...row(y).keys()].filter((i) => row(y)[i] !== paper[i % 3]);
  const counts = Array.from({ length: font.height }, (_, y) => inked(y).length);
  const best = counts.indexOf(Math.max(...counts));
  const first = Math.floor(inked(best)[0]! / 3) * 3;
  const needle = row(best).subarray(first, inked(best).at(-1)! + 1);
  const bytes = Buffer.from(raster.data);
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
    const start = at - first - best * raster.width * 3;
    const fits = start >= 0 && start % 3 === 0 && ((start / 3) % raster.width) + wanted.width <= raster.width;
    const same = (_: number, y: number) => {
      const from = start + y * raster.width * 3;
      return bytes.subarray(from, from + line).equals(row(y));
    };
    if (fits && counts.every(same)) return true;
  }
  return false;
}

/** Nothing may touch the margin: whatever did would be cut off. */
function marginIsBlank(raster: RgbRaster, margin: number, paper: Rgb = white): boolean {
  const { width, height, data } = raster;
  for (let y = 0; y < height; y++) {
    const edge = y < margin || y >= height - margin;
    for (let x = 0; x < width; x++) {
      if (!edge && x === margin) x = width - margin;
      for (let c = 0; c < 3; c++) if (data[(y * width + x) * 3 + c] !== paper[c]) return false;
    }
  }
  return true;
}

const map = { rows: 2, columns: 2, values: [0, 1, 2, 4] };
const grey = (width: number, height: number) => createRgb(width, height, [100, 100, 100]);

describe("font", () => {
  test.each([12, 16, 24, 32, 64])("all printable characters at %i px have ink and differ from each other", (size) => {
    const font = fontFor(size);
    expect(font.height).toBe(size);
    const seen = new Map<string, string>();
    for (let code = 33; code < 127; code++) {
      const r = createRgb(font.width, font.height);
      drawText(r, String.fromCharCode(code), 0, 0, font, [0, 0, 0]);
      const shape = r.data.join("");
      expect(shape.includes("00"), `ink of ${code}`).toBe(true);
      expect(seen.get(shape), `${code}`).toBeUndefined();
      seen.set(shape, String.fromCharCode(code));
    }
  });
  test("unknown code points are all the same box, known signs are not", () => {
    const font = fontFor(16);
    const shape = (text: string) => {
      const r = createRgb(font.width, font.height);
      drawText(r, text, 0, 0, font, [0, 0, 0]);
      return r.data.join();
    };
    expect(shape("日")).toBe(shape("🙂"));
    for (const c of "µ°–×·…−≥äÉ£ÿ") expect(shape(c), c).not.toBe(shape("日"));
    expect(shape("e\u0301")).toBe(shape("é"));
  });
  test("the letter L at 16 px", () => {
    const r = createRgb(8, 16);
    drawText(r, "L", 0, 0, fontFor(16), [0, 0, 0]);
    const rows = Array.from({ length: 16 }, (_, y) =>
      Array.from({ length: 8 }, (_, x) => (pixel(r, x, y)[0] ? "." : "#")).join(""),
    );
    expect(rows.filter((row) => row.includes("#")).at(0)).toBe("##......");
    expect(rows.filter((row) => row.includes("#")).at(-1)).toBe(".######.");
  });
  test("text outside of the raster is cut off without harm", () => {
    const r = createRgb(10, 10);
    drawText(r, "WWW", -5, -5, fontFor(32), [0, 0, 0]);
    expect(r.data.some((v) => v === 0)).toBe(true);
  });
});

describe("wrapping", () => {
  const font = fontFor(16);
  test("breaks at spaces, inside long words, at line feeds", () => {
    expect(wrapText("one two three", 8 * 7, font)).toEqual(["one two", "three"]);
    expect(wrapText("abcdefghij", 8 * 4, font)).toEqual(["abcd", "efgh", "ij"]);
    expect(wrapText("a\nb", 800, font)).toEqual(["a", "b"]);
  });
  test("what does not fit ends in an ellipsis within the width", () => {
    const lines = wrapText("one two three four", 8 * 7, font, 2);
    expect(lines).toEqual(["one two", "three…"]);
    expect(wrapText("abcdefghij", 8 * 4, font, 1)).toEqual(["abc…"]);
  });
});

describe("overlay", () => {
  const scale = makeScale(map);
  test("alpha leaves the picture where relevance is zero and paints the strongest patch", () => {
    const out = overlay(grey(4, 4), map, scale, { mode: "alpha", opacity: 1 });
    expect(pixel(out, 0, 0)).toEqual([100, 100, 100]);
    expect(pixel(out, 3, 3)).toEqual([253, 231, 37]);
  });
  test("blend mixes everywhere by the opacity", () => {
    const out = overlay(grey(4, 4), map, scale, { mode: "blend", opacity: 0.5 });
    expect(pixel(out, 0, 0)).toEqual([84, 51, 92]);
    const none = overlay(grey(4, 4), map, scale, { mode: "blend", opacity: 0 });
    expect(none.data).toEqual(grey(4, 4).data);
  });
  test("mask keeps exactly the patches from the threshold on", () => {
    const out = overlay(grey(4, 4), map, scale, { mode: "mask", threshold: 0.5 });
    expect(pixel(out, 0, 3)).toEqual([100, 100, 100]);
    expect(pixel(out, 3, 3)).toEqual([100, 100, 100]);
    expect(pixel(out, 3, 0)[0]).toBeLessThan(60);
  });
  test("contour draws between patches and leaves their inside alone", () => {
    const out = overlay(grey(80, 80), map, scale, { mode: "contour", levels: [0.75] });
    expect(pixel(out, 60, 60)).toEqual([100, 100, 100]);
    expect(pixel(out, 20, 20)).toEqual([100, 100, 100]);
    expect(pixel(out, 40, 60)).not.toEqual([100, 100, 100]);
    expect(pixel(out, 79, 60)).toEqual([100, 100, 100]);
  });
  test("side by side is the picture and the plain map", () => {
    const out = overlay(grey(80, 40), map, scale, { mode: "side-by-side" });
    expect([out.width, out.height]).toEqual([162, 40]);
    expect(pixel(out, 0, 0)).toEqual([100, 100, 100]);
    expect(pixel(out, 161, 39)).toEqual([253, 231, 37]);
  });
  test("values below zero are hatched: the sign is not left to colour", () => {
    const plain = createRgb(48, 24, [120, 120, 120]);
    const signed = { rows: 1, columns: 2, values: [-1, 1] };
    for (const mode of ["alpha", "blend", "map"] as const) {
      const out = overlay(plain, signed, makeScale(signed), { mode });
      const looks = (from: number) =>
        new Set(Array.from({ length: 24 * 24 }, (_, i) => `${pixel(out, from + (i % 24), Math.floor(i / 24))}`)).size;
      expect([looks(0), looks(24)], mode).toEqual([2, 1]);
    }
    const bar = drawLegend(300, makeScale(signed));
    const row = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => pixel(bar, from + i, 26)[0]! - pixel(bar, from + i, 27)[0]!);
    expect(row(10, 140).some((step) => Math.abs(step) > 5)).toBe(true);
    expect(row(160, 290).some((step) => Math.abs(step) > 5)).toBe(false);
    expect(holdsText(bar, "scale of this map, hatched < 0", 16, themes.light.muted)).toBe(true);
  });
  test("signs have their own colours, over grey", () => {
    const signed = { rows: 1, columns: 3, values: [-1, 0, 1] };
    const red = createRgb(3, 1, [200, 100, 100]);
    const out = overlay(red, signed, makeScale(signed), { mode: "alpha", opacity: 1 });
    const [negative, zero, positive] = [0, 1, 2].map((x) => pixel(out, x, 0));
    expect(negative![2]! - negative![0]!).toBeGreaterThan(80);
    expect(positive![0]! - positive![2]!).toBeGreaterThan(80);
    expect(new Set(zero).size).toBe(1);
    expect(pixel(overlay(red, signed, makeScale(signed), { grey: false }), 1, 0)).toEqual([200, 100, 100]);
  });
  test("what the model did not see is faded, missing values are left alone", () => {
    const out = overlay(grey(8, 4), map, scale, {}, { x: 2, y: 0, width: 4, height: 4 });
    expect(pixel(out, 0, 0)).toEqual([205, 205, 205]);
    const holes = overlay(grey(4, 4), { ...map, values: [0, Number.NaN, 2, 4] }, scale);
    expect(pixel(holes, 3, 0)).toEqual([100, 100, 100]);
  });
  test("every mode gives a picture of the right size and leaves its input alone", () => {
    const input = toRgb(synthetic("noise", 12, 9, 3));
    const before = Uint8Array.from(input.data);
    for (const mode of overlayModes) {
      const out = overlay(input, map, scale, { mode });
      expect(out.height).toBe(9);
      expect(out.data).toHaveLength(out.width * out.height * 3);
    }
    expect(input.data).toEqual(before);
  });
  test("wrong options are refused", () => {
    for (const bad of [{ opacity: 2 }, { threshold: -1 }, { mode: "xor" as "mask" }, { colormap: "jet" as "magma" }]) {
      expect(() => overlay(grey(4, 4), map, scale, bad)).toThrow(PictureError);
    }
  });
});

describe("legend", () => {
  test("prints both ends and the middle", () => {
    const legend = drawLegend(400, makeScale({ ...map, values: [0, 0, 0, 0.5] }));
    for (const text of ["relevance, scale of this map", "0", "0.25", "0.5"]) {
      const color = text.startsWith("r") ? themes.light.muted : themes.light.ink;
      expect(holdsText(legend, text, 16, color), text).toBe(true);
    }
    const signed = drawLegend(400, makeScale({ ...map, values: [0, 0, -3, 1] }));
    for (const text of ["−3", "0", "3"]) expect(holdsText(signed, text, 16), text).toBe(true);
  });
  test("shows the colours of the scale from left to right", () => {
    const legend = drawLegend(402, makeScale(map), { mode: "blend" });
    const y = 24;
    expect(pixel(legend, 1, y)).toEqual([68, 1, 84]);
    expect(pixel(legend, 400, y)).toEqual([253, 231, 37]);
  });
  test("an even map has one number", () => {
    expect(holdsText(drawLegend(200, makeScale({ rows: 1, columns: 1, values: [0] })), "0", 16)).toBe(true);
  });
});

describe("sheets", () => {
  const options = {
    title: "Why this cell?",
    caption: "90 % of the positive relevance lies in 1 of 4 patches, lower right. ".repeat(4).trim(),
    provenance: "model.onnx · sha256 0123456789abcdef · transformer-attribution",
  };
  test.each([
    [96, 96],
    [320, 200],
    [640, 480],
    [300, 1000],
    [20, 300],
    [1, 1],
  ])("a %i x %i picture: nothing is cut off, all text is there", (width, height) => {
    const sheet = drawSheet(
      synthetic("soft", width, height, 3),
      [
        { title: "WBC 98.3 %", map },
        { title: "RBC", subtitle: "second", map },
      ],
      options,
    );
    expect(marginIsBlank(sheet, 18)).toBe(true);
    for (const text of ["WBC 98.3 %", "RBC", "picture", "4"]) expect(holdsText(sheet, text, 16), text).toBe(true);
    expect(holdsText(sheet, options.title, 24)).toBe(true);
    expect(holdsText(sheet, "model.onnx", 12, themes.light.muted)).toBe(true);
    expect(sheet.width).toBeGreaterThanOrEqual(3 * 320);
  });
  test("one explanation holds the overlay itself", () => {
    const picture = toRgb(synthetic("soft", 400, 300, 3));
    const sheet = drawExplanation(picture, { title: "WBC", map });
    const drawn = overlay(picture, map, makeScale(map));
    const row = drawn.data.subarray(150 * 400 * 3, 151 * 400 * 3).toString();
    const found = Array.from({ length: sheet.height }, (_, y) => y).some(
      (y) => sheet.data.subarray((y * sheet.width + 20) * 3, (y * sheet.width + 420) * 3).toString() === row,
    );
    expect(found).toBe(true);
  });
  test("targets share one scale and one legend; maps of their own have one each", () => {
    const weak = { ...map, values: [0, 0.1, 0.2, 0.4] };
    const panels = [
      { title: "a", map },
      { title: "b", map: weak },
    ];
    const shared = drawSheet(grey(320, 320), panels);
    expect(holdsText(shared, "4", 16)).toBe(true);
    expect(holdsText(shared, "0.4", 16)).toBe(false);
    const own = drawSheet(grey(320, 320), panels, { scale: { mode: "map" } });
    expect(holdsText(own, "4", 16)).toBe(true);
    expect(holdsText(own, "0.4", 16)).toBe(true);
  });
  test("rows have their titles and their own scale", () => {
    const weak = { ...map, values: [0, 0.1, 0.2, 0.4] };
    const sheet = drawRows(grey(96, 96), [
      { title: "transformer-attribution", panels: [{ title: "a", map }] },
      { title: "raw-attention", panels: [{ title: "a", map: weak }] },
    ]);
    expect(marginIsBlank(sheet, 18)).toBe(true);
    expect(holdsText(sheet, "transformer-attribution", 24)).toBe(true);
    expect(holdsText(sheet, "raw-attention", 24)).toBe(true);
    expect(holdsText(sheet, "0.4", 16)).toBe(true);
  });
  test("six panels take two lines, cropping is said, the dark theme is dark", () => {
    const panels = Array.from({ length: 6 }, (_, i) => ({ title: `class ${i}`, map }));
    const sheet = drawSheet(grey(96, 96), panels, { rectangle: { x: 10, y: 0, width: 76, height: 96 }, theme: "dark" });
    const { ink, muted, paper } = themes.dark;
    expect(marginIsBlank(sheet, 18, paper)).toBe(true);
    for (let i = 0; i < 6; i++) expect(holdsText(sheet, `class ${i}`, 16, ink, paper), `${i}`).toBe(true);
    expect(holdsText(sheet, "Faded: outside of what the model sees.", 16, muted, paper)).toBe(true);
    expect(sheet.width).toBeLessThan(5 * 384);
  });
  test("boxes are drawn at their place with their label", () => {
    const box = { x: 100, y: 120, width: 60, height: 50, label: "WBC" };
    const sheet = drawExplanation(grey(400, 400), { title: "t", map }, { boxes: [box] });
    const green: Rgb = [80, 255, 120];
    expect(holdsText(sheet, "WBC", 12, green, [0, 0, 0])).toBe(true);
    const at = Array.from({ length: sheet.height }, (_, y) => y).filter(
      (y) => pixel(sheet, 20 + 130, y).join() === green.join(),
    );
    expect(at.length).toBeGreaterThanOrEqual(4);
    expect(at.at(-1)! - at[0]! + 1).toBe(50);
  });
  test("small pictures are enlarged by whole numbers, large ones reduced", () => {
    expect(fitPicture(grey(96, 60))).toMatchObject({ scaleX: 4, scaleY: 4, raster: { width: 384, height: 240 } });
    expect(fitPicture(grey(2000, 1000), 320, 800).raster).toMatchObject({ width: 800, height: 400 });
    expect(fitPicture(grey(500, 400), 320, 800).raster.width).toBe(500);
  });
  test("drawing twice gives the same bytes", () => {
    const draw = () => drawSheet(synthetic("noise", 50, 40, 3), [{ title: "a", map }], options).data;
    expect(Buffer.compare(draw(), draw())).toBe(0);
  });
});

describe("a matrix of methods", () => {
  const grey = (width: number, height: number) => createRgb(width, height, [120, 120, 120]);
  const map = (...values: number[]) => ({ rows: 2, columns: 2, values });
  const columns = [
    { title: "one-method", notes: ["4.6 forwards"] },
    { title: "other-method", notes: ["1.0 forwards"], stamp: "not class-specific" },
  ];
  const rows = [
    { title: "cell WBC", picture: grey(60, 40), cells: [map(0, 1, 2, 6), map(0, 0, 0, 0.4)] },
    { title: "cell RBC", picture: grey(40, 60), cells: [map(0, 1, 2, 7), "no map"] },
  ];

  test("says what each column is, with one scale for each method", () => {
    const sheet = drawMatrix(columns, rows, { title: "methods", caption: "caption", table: ["1  -  2"] });
    for (const text of ["one-method", "not class-specific", "cell WBC", "cell RBC", "7", "0.4", "caption", "1  -  2"])
      expect(holdsText(sheet, text, 16), text).toBe(true);
    const { muted, faint } = themes.light;
    expect(holdsText(sheet, "4.6 forwards", 16, muted)).toBe(true);
    expect(holdsText(sheet, "no map", 16, muted, faint)).toBe(true);
    expect(holdsText(sheet, "6", 16)).toBe(false);
  });

  test("or one for each map, or one for all", () => {
    const own = drawMatrix(columns, rows, { scale: { mode: "map" } });
    for (const text of ["6", "7", "0.4"]) expect(holdsText(own, text, 16), text).toBe(true);
    const shared = drawMatrix(columns, rows, { scale: { mode: "set" } });
    expect([holdsText(shared, "7", 16), holdsText(shared, "0.4", 16)]).toEqual([true, false]);
  });

  test("many methods go on below; what the model does not see is said", () => {
    const many = Array.from({ length: 9 }, (_, i) => ({ title: `m${i}`, notes: [] }));
    const rectangle = { x: 10, y: 0, width: 20, height: 40 };
    const row = { title: "cell", picture: grey(40, 40), rectangle, cells: many.map(() => map(0, 0, 0, 1)) };
    const sheet = drawMatrix(many, [row], { panelSize: 64 });
    for (const { title } of many) expect(holdsText(sheet, title, 16), title).toBe(true);
    expect(sheet.width).toBeLessThan(7 * 64 + 8 * 20);
    expect(holdsText(sheet, "Faded: outside of what the model sees.", 16, themes.light.muted)).toBe(true);
  });
});
