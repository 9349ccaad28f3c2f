import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";
import { readPicture } from "../src/input/picture.js";

const folder = mkdtempSync(join(tmpdir(), "vitrail-"));
const red = { r: 250, g: 10, b: 20 };
const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: red } });

async function read(name: string, picture: Sharp) {
  const path = join(folder, name);
  writeFileSync(path, await picture.toBuffer());
  return (await readPicture(path)).raster;
}

const pixel = ({ data, width, channels }: Awaited<ReturnType<typeof read>>, x: number, y: number) => [
  ...data.subarray((y * width + x) * channels, (y * width + x) * channels + channels),
];

test("EXIF rotation is applied", async () => {
  const raster = await read("rotated.jpg", plain(40, 20).withMetadata({ orientation: 6 }).jpeg());
  expect([raster.width, raster.height]).toEqual([20, 40]);
});

test("alpha is dropped, not blended", async () => {
  const data = Buffer.from([250, 10, 20, 0, 250, 10, 20, 255]);
  const raster = await read("alpha.png", sharp(data, { raw: { width: 2, height: 1, channels: 4 } }).png());
  expect(raster.channels).toBe(3);
  expect(pixel(raster, 0, 0)).toEqual([250, 10, 20]);
});

test("grey, palette and 16 bit become 8-bit sRGB", async () => {
  const grey = await read("grey.png", plain(4, 4).greyscale().toColourspace("b-w").png());
  expect(pixel(grey, 0, 0).every((value, _, all) => value === all[0])).toBe(true);
  const palette = await read("palette.png", plain(4, 4).png({ palette: true }));
  expect(pixel(palette, 1, 1)).toEqual([250, 10, 20]);
  const deep = await read("deep.png", plain(4, 4).toColourspace("rgb16").png());
  expect(pixel(deep, 1, 1)).toEqual([250, 10, 20]);
});

/** A TIFF of one row whose pixels are cyan, magenta, yellow, black. */
function cmykTiff(inks: readonly (readonly number[])[]): Buffer {
  const entries = [
    [256, 3, 1, inks.length],
    [257, 3, 1, 1],
    [258, 3, 4, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 5],
    [273, 4, 1, 16],
    [277, 3, 1, 4],
    [278, 3, 1, 1],
    [279, 4, 1, 4 * inks.length],
  ] as const;
  const start = 16 + 4 * inks.length;
  const file = Buffer.alloc(start + 2 + entries.length * 12 + 4);
  file.write("II*\0", "latin1");
  file.writeUInt32LE(start, 4);
  for (let i = 8; i < 16; i += 2) file.writeUInt16LE(8, i);
  file.set(inks.flat(), 16);
  file.writeUInt16LE(entries.length, start);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = start + 2 + i * 12;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

test("CMYK becomes RGB as Pillow converts it: every ink takes its share of what black leaves", async () => {
  const inks = [
    [0, 0, 0, 0],
    [255, 0, 0, 0],
    [82, 110, 114, 0],
    [10, 20, 30, 40],
    [200, 100, 50, 128],
    [9, 9, 9, 255],
  ];
  const path = join(folder, "inks.tiff");
  writeFileSync(path, cmykTiff(inks));
  const { raster } = await readPicture(path);
  expect(inks.map((_, x) => pixel(raster, x, 0))).toEqual([
    [255, 255, 255],
    [0, 255, 255],
    [173, 145, 141],
    [207, 198, 190],
    [27, 77, 102],
    [0, 0, 0],
  ]);
});

test("a CMYK JPEG is inverted, as Photoshop writes it", async () => {
  const [r, g, b] = pixel(await read("cmyk.jpg", plain(16, 16).toColourspace("cmyk").jpeg({ quality: 100 })), 8, 8);
  expect(r).toBeGreaterThan(250);
  expect(Math.max(g!, b!)).toBeLessThan(6);
});

test("colour profiles are not applied: the model sees the numbers that are stored", async () => {
  const bytes = await plain(4, 4).withIccProfile("p3").png().toBuffer();
  const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
  const path = join(folder, "p3.png");
  writeFileSync(path, bytes);
  const found = pixel((await readPicture(path)).raster, 1, 1);
  expect(found).toEqual([...stored.subarray(0, 3)]);
  expect(found).not.toEqual([250, 10, 20]);
});

test("a model of four channels gets alpha, whatever the file has of it", async () => {
  const file = async (name: string, picture: Sharp) => {
    const path = join(folder, name);
    writeFileSync(path, await picture.png().toBuffer());
    return pixel((await readPicture(path, { alpha: true })).raster, 0, 0);
  };
  const raw = (channels: 1 | 2 | 3 | 4, ...data: number[]) =>
    sharp(Buffer.from(data), { raw: { width: 1, height: 1, channels } });
  expect(await file("rgba.png", raw(4, 250, 10, 20, 7))).toEqual([250, 10, 20, 7]);
  expect(await file("rgb.png", raw(3, 250, 10, 20))).toEqual([250, 10, 20, 255]);
  expect(await file("la.png", raw(2, 90, 7).toColourspace("b-w"))).toEqual([90, 90, 90, 7]);
  expect(await file("l.png", raw(1, 90).toColourspace("b-w"))).toEqual([90, 90, 90, 255]);
});

test("grey values of 16 bits are shown by their upper half, and that is said", async () => {
  const data = new Uint16Array([0x1234, 0xfedc]);
  const path = join(folder, "deep-grey.png");
  const picture = sharp(data, { raw: { width: 2, height: 1, channels: 1 } }).toColourspace("grey16");
  writeFileSync(path, await picture.png().toBuffer());
  const { raster, warnings } = await readPicture(path);
  expect([pixel(raster, 0, 0)[0], pixel(raster, 1, 0)[0]]).toEqual([0x12, 0xfe]);
  expect(warnings).toEqual(["the picture has 16 bits per value: the model sees it in 256 steps of its whole range"]);
});

test("what is no picture, or only half of one, says so", async () => {
  const path = join(folder, "bad.jpg");
  writeFileSync(path, "not a picture");
  await expect(readPicture(path)).rejects.toThrow(/E082[\s\S]*bad\.jpg/);
  const whole = await sharp({
    create: {
      width: 200,
      height: 200,
      channels: 3,
      background: red,
      noise: { type: "gaussian", mean: 128, sigma: 50 },
    },
  })
    .jpeg()
    .toBuffer();
  writeFileSync(path, whole.subarray(0, whole.length / 2));
  await expect(readPicture(path)).rejects.toThrow(/E082/);
  await expect(readPicture(join(folder, "missing.jpg"))).rejects.toThrow(/E081[\s\S]*there is no such file/);
});
