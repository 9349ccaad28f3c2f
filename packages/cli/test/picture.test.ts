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

test("grey, palette, 16 bit and CMYK become 8-bit sRGB", async () => {
  const grey = await read("grey.png", plain(4, 4).greyscale().toColourspace("b-w").png());
  expect(pixel(grey, 0, 0).every((value, _, all) => value === all[0])).toBe(true);
  const palette = await read("palette.png", plain(4, 4).png({ palette: true }));
  expect(pixel(palette, 1, 1)).toEqual([250, 10, 20]);
  const deep = await read("deep.png", plain(4, 4).toColourspace("rgb16").png());
  expect(pixel(deep, 1, 1)).toEqual([250, 10, 20]);
  const cmyk = await read("cmyk.jpg", plain(16, 16).toColourspace("cmyk").jpeg({ quality: 100 }));
  expect(cmyk.channels).toBe(3);
  const [r, g, b] = pixel(cmyk, 8, 8);
  expect(r).toBeGreaterThan(180);
  expect(Math.max(g!, b!)).toBeLessThan(90);
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
