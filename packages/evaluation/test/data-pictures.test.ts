import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import h5wasm, { type Dataset } from "h5wasm/node";
import { describe, expect, it } from "vitest";
import {
  brokenReason,
  DataError,
  loadCoco,
  loadImageFolder,
  loadImageNet,
  loadMaskFolder,
  loadPascalVoc,
  memoryFolder,
  mustScale,
  type PictureSample,
  parseRunLengths,
  placeBoxes,
  placeMask,
  placeTruth,
  polygonMask,
  runLengthMask,
  sameShape,
} from "../src/index.js";
import { diskFolder, openGtsegs } from "../src/node/index.js";

const rows = (mask: { width: number; data: Uint8Array }) =>
  Array.from({ length: mask.data.length / mask.width }, (_, y) =>
    [...mask.data.slice(y * mask.width, (y + 1) * mask.width)].join(""),
  );

describe("folders", () => {
  const folder = memoryFolder({ "cat/1.jpg": "", "dog/2.png": "", "dog/notes.txt": "", "3.webp": "" });

  it("take the class from the folder, and name what is no picture", async () => {
    await expect(loadImageFolder(folder)).rejects.toThrow("1 of 4 rows are broken\n  dog/notes.txt  not a picture");
    const { samples, broken, total } = await loadImageFolder(folder, { broken: "skip" });
    expect(samples.map(({ path, labels }) => [path, ...labels])).toEqual([
      ["3.webp"],
      ["cat/1.jpg", "cat"],
      ["dog/2.png", "dog"],
    ]);
    expect(broken).toEqual([{ file: "dog/notes.txt", reason: "not a picture" }]);
    expect(total).toBe(4);
  });

  it("are read from disk in the same order", async () => {
    const folder = diskFolder(import.meta.dirname);
    expect(await folder.list()).toContain("data-pictures.test.ts");
    expect((await folder.bytes("toy.ts")).length).toBeGreaterThan(100);
  });

  it("pair pictures with masks of any value", async () => {
    const decode = async (bytes: Uint8Array) => ({ width: 2, height: 1, channels: 1, data: bytes });
    const masked = memoryFolder({
      "images/cat/1.jpg": "",
      "images/cat/2.jpg": "",
      "masks/cat/1.png": Uint8Array.of(0, 15),
    });
    const { samples, broken } = await loadMaskFolder(masked, { decode, broken: "skip" });
    expect(samples[0]!.labels).toEqual(["cat"]);
    expect([...(await samples[0]!.regions[0]!.mask!()).data]).toEqual([0, 1]);
    expect(broken).toEqual([{ file: "images/cat/2.jpg", reason: "no mask masks/cat/2.png" }]);
    const other = await loadMaskFolder(masked, { decode, broken: "skip", value: 7 });
    expect([...(await other.samples[0]!.regions[0]!.mask!()).data]).toEqual([0, 0]);
  });
});

describe("ImageNet validation", () => {
  it("reads name and index lines", async () => {
    const folder = memoryFolder({
      "ILSVRC2012_val_00000001.JPEG": "",
      "val.txt": "ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n",
    });
    const { samples, broken } = await loadImageNet(folder, { broken: "skip" });
    expect(samples[0]).toMatchObject({ path: "ILSVRC2012_val_00000001.JPEG", labels: ["65"] });
    expect(broken).toEqual([{ file: "val.txt", at: 2, reason: 'no picture for "ILSVRC2012_val_00000002"' }]);
  });

  it("reads the solution file with boxes", async () => {
    const folder = memoryFolder({
      "a.JPEG": "",
      "b.JPEG": "",
      "LOC_val_solution.csv": "ImageId,PredictionString\na,n01 1 2 10 4 n01 0 0 0 0 \nb,n02 5 5 4 9 \n",
    });
    const { samples, broken } = await loadImageNet(folder, { broken: "skip" });
    expect(samples[0]!.regions).toEqual([
      {
        label: "n01",
        boxes: [
          { x: 1, y: 2, width: 10, height: 3 },
          { x: 0, y: 0, width: 1, height: 1 },
        ],
      },
    ]);
    expect(broken).toEqual([{ file: "LOC_val_solution.csv", at: 3, reason: "box 5 5 4 9 is empty" }]);
  });

  it("falls back to folders named after synsets", async () => {
    const { samples } = await loadImageNet(memoryFolder({ "n01440764/x.JPEG": "" }));
    expect(samples[0]!.labels).toEqual(["n01440764"]);
  });
});

describe("masks", () => {
  it("fill polygons where pixel centres are inside, holes by the even-odd rule", () => {
    expect(rows(polygonMask([[1, 0, 4, 0, 4, 3, 1, 3]], 5, 4))).toEqual(["01110", "01110", "01110", "00000"]);
    expect(rows(polygonMask([[0, 0, 4, 0, 0, 4]], 4, 4))).toEqual(["1110", "1100", "1000", "0000"]);
  });

  it("unroll run lengths down the columns", () => {
    expect(rows(runLengthMask([1, 2, 3], 3, 2))).toEqual(["010", "100"]);
    expect(() => runLengthMask([1, 2], 3, 2)).toThrow("run lengths sum to 3, the mask has 6 pixels");
  });

  it("decode compressed run lengths", () => {
    expect(parseRunLengths("61X13")).toEqual([6, 1, 40, 4]);
    expect(() => parseRunLengths("6X")).toThrow("in the middle of a number");
    const encode = (counts: number[]) =>
      counts
        .map((count, i) => {
          let value = i > 2 ? count - counts[i - 2]! : count;
          let text = "";
          for (let more = true; more; ) {
            let code = value & 31;
            value >>= 5;
            more = code & 16 ? value !== -1 : value !== 0;
            if (more) code |= 32;
            text += String.fromCharCode(48 + code);
          }
          return text;
        })
        .join("");
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000)), (counts) => {
        expect(parseRunLengths(encode(counts))).toEqual(counts);
      }),
    );
  });

  it("follow the preprocessing of the picture", () => {
    const mask = { width: 4, height: 2, data: Uint8Array.from([0, 1, 1, 0, 0, 1, 1, 0]) };
    // doubled, then two columns cut away on each side
    const placement = { scaleX: 2, scaleY: 2, left: 2, top: 0, width: 4, height: 4 };
    expect([...placeMask(mask, placement)]).toEqual(Array(16).fill(1));
    expect(
      placeBoxes(
        [
          { x: 0, y: 0, width: 2, height: 1 },
          { x: 0, y: 0, width: 1, height: 1 },
        ],
        placement,
      ),
    ).toEqual([{ x: 0, y: 0, width: 2, height: 2 }]);
  });
});

describe("truth of another size", () => {
  const sample = (more: Partial<PictureSample>): PictureSample => ({
    id: "a",
    path: "a.png",
    labels: [],
    regions: [],
    ...more,
  });
  const box = (x: number, y: number, width: number, height: number) => ({
    label: "cat",
    boxes: [{ x, y, width, height }],
  });

  it("has the shape of its picture, but for rounding", () => {
    const shape = fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2000 }));
    fc.assert(
      fc.property(shape, fc.double({ min: 0.05, max: 8, noNaN: true }), ([width, height], factor) => {
        const side = (length: number) => Math.max(1, Math.round(length * factor));
        expect(sameShape({ width, height }, { width: side(width), height: side(height) })).toBe(true);
      }),
    );
    expect(sameShape({ width: 640, height: 480 }, { width: 480, height: 640 })).toBe(false);
    expect(sameShape({ width: 640, height: 480 }, { width: 640, height: 478 })).toBe(false);
    expect(sameShape({ width: 224, height: 224 }, { width: 500, height: 375 })).toBe(false);
  });

  it("lies where the same truth of the picture's own size lies", () => {
    const placement = { scaleX: 0.5, scaleY: 0.5, left: 1, top: 3, width: 10, height: 8 };
    const place = (factor: number, x: number, y: number) =>
      placeBoxes(
        [{ x: x * factor, y: y * factor, width: 4 * factor, height: 6 * factor }],
        placeTruth(placement, { width: 24, height: 28 }, { width: 24 * factor, height: 28 * factor }),
      );
    fc.assert(
      fc.property(
        fc.constantFrom(0.5, 1, 2, 3),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
        (factor, x, y) => {
          expect(place(factor, x, y)).toEqual(place(1, x, y));
        },
      ),
    );
    expect(() => placeTruth(placement, { width: 24, height: 28 }, { width: 28, height: 24 })).toThrow(
      "the picture is 24 x 28, what marks it is 28 x 24",
    );
  });

  it("is scaled where shapes are the same, and a broken row where they are not", async () => {
    const picture = { width: 200, height: 100 };
    const masked = (width: number, height: number) =>
      sample({
        regions: [
          {
            label: "cat",
            boxes: [],
            mask: async () => ({ width, height, data: new Uint8Array() }),
            maskSize: async () => ({ width, height }),
          },
        ],
      });
    expect(await mustScale(masked(200, 100), picture)).toBe(false);
    expect(await mustScale(masked(100, 50), picture)).toBe(true);
    await expect(mustScale(masked(100, 100), picture)).rejects.toThrow("the picture is 200 x 100, its mask 100 x 100");
    expect(
      await mustScale(sample({ size: { width: 400, height: 200 }, regions: [box(0, 0, 390, 190)] }), picture),
    ).toBe(true);
    await expect(mustScale(sample({ size: { width: 100, height: 200 } }), picture)).rejects.toThrow(
      "its annotation says 100 x 200",
    );
    expect(await mustScale(sample({ regions: [box(150, 0, 51, 50)] }), picture)).toBe(false);
    await expect(mustScale(sample({ regions: [box(150, 0, 60, 50)] }), picture)).rejects.toThrow(
      'a box of "cat" reaches to 210, 50: outside of 200 x 100',
    );
    expect(brokenReason(new RangeError("no"))).toBeUndefined();
  });
});

describe("COCO", () => {
  const coco = {
    images: [
      { id: 1, file_name: "a.jpg", width: 3, height: 2 },
      { id: 2, file_name: "b.jpg" },
    ],
    categories: [
      { id: 7, name: "cat" },
      { id: 8, name: "dog" },
    ],
    annotations: [
      { image_id: 1, category_id: 7, bbox: [0, 0, 1, 1], segmentation: [[0, 0, 1, 0, 1, 1, 0, 1]] },
      { image_id: 1, category_id: 7, bbox: [2, 0, 1, 2], segmentation: { size: [2, 3], counts: [4, 2] } },
      { image_id: 1, category_id: 8, bbox: [1, 1, 2, 1] },
      { image_id: 1, category_id: 9, bbox: [1, 1, 2, 1] },
      { image_id: 1, category_id: 8, bbox: [1, 1, 0, 1] },
      { image_id: 5, category_id: 8, bbox: [1, 1, 1, 1] },
      { image_id: 1, category_id: 8, bbox: [0, 0, 3, 2], iscrowd: 1, segmentation: { size: [2, 3], counts: "06" } },
    ],
  };

  it("gathers boxes and outlines per class", async () => {
    const { samples } = loadCoco(JSON.stringify(coco), { broken: "skip" });
    expect(samples.length).toBe(1);
    const [cat, dog] = samples[0]!.regions;
    expect(cat).toMatchObject({
      label: "cat",
      boxes: [
        { x: 0, y: 0, width: 1, height: 1 },
        { x: 2, y: 0, width: 1, height: 2 },
      ],
    });
    expect(rows(await cat!.mask!())).toEqual(["101", "001"]);
    expect(dog!.mask).toBeUndefined();
    expect(dog!.boxes.length).toBe(1);
  });

  it("names every broken row and its place", () => {
    const { broken } = loadCoco(JSON.stringify(coco), { broken: "skip", file: "val.json" });
    expect(broken).toEqual([
      { file: "val.json", at: "images[1]", reason: "needs width and height" },
      { file: "val.json", at: "annotations[3]", reason: "no category has id 9" },
      { file: "val.json", at: "annotations[4]", reason: "bbox is empty" },
      { file: "val.json", at: "annotations", reason: "no image has id 5" },
    ]);
    expect(() => loadCoco(JSON.stringify(coco))).toThrow(DataError);
    expect(() => loadCoco("{")).toThrow("no valid JSON");
  });

  it("takes crowds when asked", async () => {
    const { samples } = loadCoco(JSON.stringify(coco), { broken: "skip", crowds: true });
    expect(samples[0]!.regions[1]!.boxes.length).toBe(2);
  });
});

describe("Pascal VOC", () => {
  const xml = (objects: string) => `<annotation><filename>a.jpg</filename>${objects}</annotation>`;
  const object = (name: string, box: number[], difficult = 0) =>
    `<object><name>${name}</name><part><name>head</name></part><difficult>${difficult}</difficult><bndbox><xmin>${box[0]}</xmin><ymin>${box[1]}</ymin><xmax>${box[2]}</xmax><ymax>${box[3]}</ymax></bndbox></object>`;

  it("reads the size of the annotated picture, where it is said", async () => {
    const size = (width: number) => `<size><width>${width}</width><height>50</height><depth>3</depth></size>`;
    const folder = memoryFolder({
      "a.jpg": "",
      "a.xml": xml(size(90)),
      "b.jpg": "",
      "b.xml": xml(size(0)).replace("a.jpg", "b.jpg"),
    });
    const { samples } = await loadPascalVoc(folder);
    expect(samples.map(({ size }) => size)).toEqual([{ width: 90, height: 50 }, undefined]);
  });

  it("reads corners from 1 and leaves difficult objects out", async () => {
    const folder = memoryFolder({
      "JPEGImages/a.jpg": "",
      "Annotations/a.xml": xml(object("cat &amp; co", [1, 1, 10, 5]) + object("dog", [2, 2, 3, 3], 1)),
    });
    const { samples } = await loadPascalVoc(folder);
    expect(samples).toEqual([
      {
        id: "JPEGImages/a.jpg",
        path: "JPEGImages/a.jpg",
        labels: ["cat & co"],
        regions: [{ label: "cat & co", boxes: [{ x: 0, y: 0, width: 10, height: 5 }] }],
      },
    ]);
    expect((await loadPascalVoc(folder, { difficult: true })).samples[0]!.labels).toEqual(["cat & co", "dog"]);
  });

  it("reports files that are no annotation, lack a picture or a corner", async () => {
    const folder = memoryFolder({
      "a.jpg": "",
      "a.xml": xml(object("cat", [9, 1, 3, 5])),
      "b.xml": xml("").replace("a.jpg", "b.jpg"),
      "c.xml": "<html/>",
    });
    const { broken } = await loadPascalVoc(folder, { broken: "skip" });
    expect(broken).toEqual([
      { file: "a.xml", reason: 'the box of "cat" is empty' },
      { file: "b.xml", reason: 'no picture for "b.jpg"' },
      { file: "c.xml", reason: "no <annotation> element" },
    ]);
  });
});

describe("gtsegs_ijcv.mat", () => {
  it("reads pictures and masks through references", async () => {
    await h5wasm.ready;
    const folder = mkdtempSync(join(tmpdir(), "vitrail-"));
    const path = join(folder, "gtsegs.mat");
    const file = new h5wasm.File(path, "w");
    const store = file.create_group("#refs#");
    const refer = (name: string, data: Uint8Array, shape: number[]) => {
      store.create_dataset({ name, data, shape });
      return (store.get(name) as Dataset).create_reference();
    };
    const list = (name: string, references: ReturnType<typeof refer>[]) => {
      store.create_dataset({ name, data: references, shape: [references.length, 1] });
      return (store.get(name) as Dataset).create_reference();
    };
    // pictures of 3 columns and 2 rows: value = 100 c + 10 x + y
    const pixels = Uint8Array.from(
      { length: 18 },
      (_, i) => 100 * Math.floor(i / 6) + 10 * (Math.floor(i / 2) % 3) + (i % 2),
    );
    const images = [refer("i0", pixels, [3, 3, 2]), refer("i1", pixels, [3, 3, 2])];
    const masks = [refer("m0", Uint8Array.from([0, 1, 0, 1, 0, 0]), [3, 2]), refer("m1", new Uint8Array(4), [2, 2])];
    const truths = masks.map((mask, i) => list(`t${i}`, [mask]));
    const value = file.create_group("value");
    value.create_dataset({ name: "img", data: images, shape: [2, 1] });
    value.create_dataset({ name: "gt", data: truths, shape: [2, 1] });
    file.close();

    const loaded = await openGtsegs(path, { broken: "skip" });
    expect(loaded.broken).toEqual([{ file: "gtsegs_ijcv.mat", at: 2, reason: "picture and mask differ in size" }]);
    const picture = await loaded.samples[0]!.pixels!();
    expect([picture.width, picture.height, picture.channels]).toEqual([3, 2, 3]);
    expect([...picture.data.slice(0, 6)]).toEqual([0, 100, 200, 10, 110, 210]);
    expect([...picture.data.slice(9, 12)]).toEqual([1, 101, 201]);
    expect(rows(await loaded.samples[0]!.regions[0]!.mask!())).toEqual(["000", "110"]);
    loaded.close();
    rmSync(folder, { recursive: true });
  });
});
