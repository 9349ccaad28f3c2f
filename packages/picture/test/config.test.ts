import { describe, expect, test } from "vitest";
import {
  defaultPreprocessing,
  PictureError,
  preprocess,
  type ReadOptions,
  readPreprocessing,
  resizedSize,
  staticSize,
} from "../src/index.js";
import { synthetic } from "./synthetic.js";

function problemsOf(config: unknown, options?: ReadOptions) {
  try {
    readPreprocessing(config, options);
  } catch (error) {
    expect(error).toBeInstanceOf(PictureError);
    const { problems } = error as PictureError;
    for (const p of problems) for (const field of [p.what, p.why, p.try]) expect(field.length).toBeGreaterThan(5);
    return problems.map((p) => `${p.code} ${p.what}`);
  }
  return [];
}

describe("settings that are not understood are never skipped", () => {
  test.each([
    [null, "config-not-an-object"],
    [[], "config-not-an-object"],
    [{ do_thumbnail: true }, "unsupported-setting do_thumbnail"],
    [{ size_divisor: 32 }, "unsupported-setting size_divisor"],
    [{ image_processor_type: "ViTImageProcessor", crop_pct: 0.9 }, "unsupported-setting crop_pct"],
    [{ image_processor_type: "DPTImageProcessor", keep_aspect_ratio: true }, "unsupported-setting keep_aspect_ratio"],
    [{ image_processor_type: "ViltImageProcessorFast" }, "unsupported-processor ViltImageProcessorFast"],
    [{ size: { height: 3 } }, "bad-setting size"],
    [{ size: { height: 3, width: 4, depth: 1 } }, "bad-setting size"],
    [{ size: -1 }, "bad-setting size"],
    [{ size: "224" }, "bad-setting size"],
    [{ resample: 9 }, "bad-setting resample"],
    [{ resample: "bicubic" }, "bad-setting resample"],
    [{ do_resize: "yes" }, "bad-setting do_resize"],
    [{ rescale_factor: 0 }, "bad-setting rescale_factor"],
    [{ image_mean: [0.5, 0.5] }, "bad-setting image_mean"],
    [{ image_std: [0.5, 0, 0.5] }, "bad-setting image_std"],
    [{ image_processor_type: "constructor", toString: 1 }, "unsupported-setting toString"],
    [{ input_size: [3, 224] }, "bad-setting input_size"],
    [{ input_size: [3, 224, 224], crop_mode: "border" }, "unsupported-setting crop_mode"],
  ])("%j", (config, message) => {
    expect(problemsOf(config)).toEqual([expect.stringContaining(message)]);
  });

  test("all problems come at once", () => {
    expect(problemsOf({ size: 0, resample: 7, do_pan_and_scan: true })).toHaveLength(3);
  });

  test("what is off, empty or named in ignore does not count", () => {
    expect(problemsOf({ do_thumbnail: false, size_divisor: null, crop_pct: null })).toEqual([]);
    expect(problemsOf({ do_thumbnail: true }, { ignore: ["do_thumbnail"] })).toEqual([]);
  });

  test("settings that lead to another size than the model's are an error", () => {
    const clip = { image_processor_type: "CLIPImageProcessor", size: 224, crop_size: 224 };
    expect(problemsOf(clip, { modelSize: { height: 224, width: 224 } })).toEqual([]);
    expect(problemsOf(clip, { modelSize: { height: 336, width: 336 } })).toEqual([
      expect.stringContaining("size-mismatch"),
    ]);
  });

  test("an unknown processor is applied plainly and says so", () => {
    const settings = readPreprocessing({ image_processor_type: "NovelImageProcessor", size: 32 });
    expect(settings.warnings[0]).toContain("NovelImageProcessor");
    expect(staticSize(settings)).toEqual({ height: 32, width: 32 });
    expect(readPreprocessing({ image_processor_type: "ViTImageProcessor" }).warnings).toEqual([]);
  });
});

test("processor_config.json keeps the settings one level down", () => {
  const inner = { image_processor_type: "SiglipImageProcessorFast", size: { height: 16, width: 16 } };
  expect(readPreprocessing({ image_processor: inner, processor_class: "X" })).toEqual(readPreprocessing(inner));
});

describe("timm", () => {
  const cfg = {
    input_size: [3, 224, 224],
    test_input_size: [3, 288, 288],
    crop_pct: 0.9,
    test_crop_pct: 1,
    interpolation: "bicubic",
  };
  test("edge 248, crop 224, ImageNet's mean", () => {
    const settings = readPreprocessing({ architecture: "vit", pretrained_cfg: cfg });
    expect(settings).toMatchObject({ source: "timm", resize: { kind: "shortest-edge", edge: 248 }, filter: "bicubic" });
    expect(settings).toMatchObject({ crop: { height: 224, width: 224 }, mean: [0.485, 0.456, 0.406] });
  });
  test("the test size when the model has it", () => {
    const settings = readPreprocessing({ pretrained_cfg: cfg }, { modelSize: { height: 288, width: 288 } });
    expect(settings).toMatchObject({ resize: { edge: 288 }, crop: { height: 288 } });
  });
  test("torchvision rounds half a pixel to the even one", () => {
    const at = (edge: number) => {
      const settings = readPreprocessing({ input_size: [3, 4, 4], crop_pct: 4 / edge, interpolation: "bilinear" });
      return preprocess(synthetic("noise", edge, edge, 3), settings).geometry.rectangle.x;
    };
    expect([at(5), at(7), at(9), at(11)]).toEqual([0, 2, 2, 4]);
  });
});

describe("size after resizing", () => {
  const edge = { kind: "shortest-edge", edge: 224 } as const;
  test.each([
    [640, 480, edge, [298, 224]],
    [480, 640, edge, [224, 298]],
    [100, 100, edge, [224, 224]],
    [2000, 100, { ...edge, longest: 448 }, [448, 22]],
    [640, 480, { kind: "longest-edge", edge: 1024 }, [1024, 768]],
    [640, 480, { kind: "exact", width: 5, height: 6 }, [5, 6]],
    [640, 480, null, [640, 480]],
  ] as const)("%i x %i by %j", (width, height, rule, expected) => {
    expect(resizedSize(width, height, rule)).toEqual(expected);
  });
  test("a picture that would vanish is refused", () => {
    const settings = readPreprocessing({
      image_processor_type: "SamImageProcessor",
      size: { longest_edge: 10 },
      do_pad: false,
    });
    expect(() => preprocess(synthetic("noise", 60, 1, 3), settings)).toThrow(/bad-size/);
  });
});

describe("geometry", () => {
  const seen = (config: object, width: number, height: number) =>
    preprocess(synthetic("soft", width, height, 3), readPreprocessing(config)).geometry;
  test("a stretched picture is seen whole", () => {
    expect(seen({ image_processor_type: "ViTImageProcessor", size: 16 }, 40, 30).rectangle).toEqual({
      x: 0,
      y: 0,
      width: 40,
      height: 30,
    });
  });
  test("a centre crop leaves the sides out", () => {
    const g = seen({ image_processor_type: "CLIPImageProcessor", size: 16, crop_size: 16 }, 64, 32);
    expect(g).toEqual({
      source: { width: 64, height: 32 },
      tensor: { width: 16, height: 16 },
      rectangle: { x: 16, y: 0, width: 32, height: 32 },
    });
  });
  test("padding reaches outside of the picture", () => {
    const crop = seen({ image_processor_type: "BeitImageProcessor", size: 8, crop_size: 16 }, 32, 32);
    expect(crop.rectangle).toEqual({ x: -16, y: -16, width: 64, height: 64 });
    const sam = seen({ image_processor_type: "SamImageProcessor", size: { longest_edge: 16 }, pad_size: 16 }, 64, 32);
    expect(sam.rectangle).toEqual({ x: 0, y: 0, width: 64, height: 64 });
  });
  test("a bright spot in the source is where the geometry says", () => {
    const source = { width: 60, height: 40, channels: 3 as const, data: new Uint8Array(60 * 40 * 3) };
    for (let y = 20; y < 24; y++) source.data.fill(255, (y * 60 + 30) * 3, (y * 60 + 34) * 3);
    const { seen: shown, geometry } = preprocess(
      source,
      readPreprocessing({ image_processor_type: "CLIPImageProcessor", size: 20, crop_size: 18 }),
    );
    const brightest = shown.data.indexOf(Math.max(...shown.data)) / 3;
    const { rectangle: r, tensor: t } = geometry;
    expect(Math.abs(r.x + (((brightest % 18) + 0.5) * r.width) / t.width - 32)).toBeLessThan(2.5);
    expect(Math.abs(r.y + ((Math.floor(brightest / 18) + 0.5) * r.height) / t.height - 22)).toBeLessThan(2.5);
  });
});

describe("channels and layout", () => {
  const settings = (o: ReadOptions) =>
    readPreprocessing({ do_resize: false, do_normalize: false, do_rescale: false }, o);
  test("channels last holds the same numbers", () => {
    const picture = synthetic("noise", 5, 4, 3);
    const first = preprocess(picture, settings({}));
    const last = preprocess(picture, settings({ layout: "nhwc" }));
    expect(first.dims).toEqual([1, 3, 4, 5]);
    expect(last.dims).toEqual([1, 4, 5, 3]);
    expect([...last.data]).toEqual([...picture.data]);
    expect(first.data[20 + 7]).toBe(last.data[7 * 3 + 1]);
  });
  test("grey is repeated, alpha is dropped as PIL drops it", () => {
    const grey = preprocess({ width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 200) }, settings({}));
    expect([...grey.data]).toEqual([7, 200, 7, 200, 7, 200]);
    const clear = preprocess({ width: 1, height: 1, channels: 4, data: Uint8Array.of(9, 8, 7, 0) }, settings({}));
    expect([...clear.data]).toEqual([9, 8, 7]);
  });
  test("one channel is PIL's grey", () => {
    const red = { width: 3, height: 1, channels: 3 as const, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255) };
    expect([...preprocess(red, settings({ channels: 1 })).data]).toEqual([76, 150, 29]);
  });
});

test("without settings a default is made, and it says that it is a guess", () => {
  const settings = defaultPreprocessing({ height: 6, width: 8 });
  const { dims, data } = preprocess({ width: 1, height: 1, channels: 3, data: Uint8Array.of(0, 255, 51) }, settings);
  expect(dims).toEqual([1, 3, 6, 8]);
  expect([data[0], data[48]]).toEqual([-1, 1]);
  expect(data[96]).toBeCloseTo(-0.6, 6);
  expect(settings.warnings).toHaveLength(1);
});
