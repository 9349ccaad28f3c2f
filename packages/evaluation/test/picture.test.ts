import { describe, expect, it } from "vitest";
import {
  bilinear,
  columnsOf,
  createRandom,
  gaussianBlur,
  normaliser,
  perPixel,
  perUnit,
  pictureSubject,
  textSubject,
} from "../src/index.js";

const random = createRandom(0);

describe("resampling", () => {
  it("enlarges 2 to 4 with corners not aligned", () => {
    expect([...bilinear([0, 4], [1, 2], [1, 4])]).toEqual([0, 1, 3, 4]);
    expect([...bilinear([0, 4, 8, 12], [2, 2], [4, 4])].slice(4, 8)).toEqual([2, 3, 5, 6]);
  });

  it("keeps a flat picture flat and a point's mass", () => {
    expect(gaussianBlur(new Float32Array(100).fill(0.25), 10, 10).every((v) => Math.abs(v - 0.25) < 1e-6)).toBe(true);
    const point = new Float32Array(29 * 29);
    point[14 * 29 + 14] = 1;
    const blurred = gaussianBlur(point, 29, 29);
    expect(blurred.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(blurred[14 * 29 + 13]).toBeCloseTo(blurred[13 * 29 + 14]!, 7);
  });
});

describe("pictures", () => {
  const pixels = Float32Array.from({ length: 2 * 16 }, (_, i) => i / 32);
  const toInput = normaliser([0.5, 0.25], [0.5, 0.25]);
  const subject = pictureSubject({ pixels, channels: 2, height: 4, width: 4, grid: [2, 2], toInput });

  it("removes patches before normalisation, in every channel", () => {
    const input = subject.without(Uint8Array.from([0, 1, 0, 0]), "zero", random);
    const expected = toInput(pixels.map((value, i) => ([2, 3, 6, 7].includes(i % 16) ? 0 : value)));
    expect(input).toEqual(expected);
  });

  it("an input stays as it is when the next one is made, and nothing of the one before is left in it", () => {
    const [one, other] = [Uint8Array.from([0, 1, 0, 0]), Uint8Array.from([0, 0, 1, 0])];
    for (const fill of ["zero", "linear"] as const) {
      const made = subject.without(one, fill, createRandom(1));
      const kept = made.slice();
      subject.without(other, fill, createRandom(2));
      expect(made).toEqual(kept);
      expect(subject.without(one, fill, createRandom(1))).toEqual(kept);
    }
  });

  it("knows the mean of each channel and leaves the original alone", () => {
    const input = subject.without(Uint8Array.from([1, 1, 1, 1]), "mean", random);
    expect(input[0]).toBeCloseTo((7.5 / 32 - 0.5) / 0.5, 6);
    expect(input[31]).toBeCloseTo((23.5 / 32 - 0.25) / 0.25, 6);
    expect(subject.input).toEqual(toInput(pixels));
  });

  it("lays patches where the model sees them, and nothing beside", () => {
    const region = { x: 0, y: 0, width: 2, height: 4 };
    const part = pictureSubject({ pixels, channels: 2, height: 4, width: 4, grid: [2, 1], region, toInput });
    expect([...part.pixels.spread([1, 1])]).toEqual(Array.from({ length: 16 }, (_, i) => Number(i % 4 < 2)));
    const without = part.without(Uint8Array.from([1, 0]), "zero", random);
    const kept = toInput(pixels.map((value, i) => (i % 16 < 8 ? 0 : value)));
    expect(without).toEqual(kept);
    const first = Float32Array.from({ length: 16 }, (_, i) => Number(i % 4 < 2));
    expect([...part.pixels.pool(first)]).toEqual([4, 4]);
  });

  it("removes single pixels and spreads patch relevance over them", () => {
    const gone = new Uint8Array(16);
    gone[5] = 1;
    const changed = subject.pixels.without(gone, "zero", random);
    expect(changed.filter((value, i) => value !== subject.input[i]).length).toBe(2);
    expect([...subject.pixels.spread([0, 4, 8, 12])].slice(4, 8)).toEqual([2, 3, 5, 6]);
  });

  it("fills with zero, the channel's mean, its blur, or what is imputed; what stays is as it was", () => {
    const bare = pictureSubject({
      pixels,
      channels: 2,
      height: 4,
      width: 4,
      grid: [2, 2],
      neutral: [0.25, 0.5],
      toInput: (data) => data.slice(),
    });
    const gone = Uint8Array.from([0, 1, 0, 0]);
    const blurred = [0, 16].flatMap((start) => [...gaussianBlur(pixels.slice(start, start + 16), 4, 4)]);
    const expected = {
      zero: () => 0,
      mean: (i: number) => (i < 16 ? 7.5 : 23.5) / 32,
      blur: (i: number) => blurred[i]!,
      neutral: (i: number) => (i < 16 ? 0.25 : 0.5),
    };
    expect(() => bare.without(gone, "drop", random)).toThrow("cannot be dropped");
    for (const fill of ["zero", "neutral", "mean", "blur"] as const) {
      const input = bare.without(gone, fill, random);
      for (let i = 0; i < 32; i++) {
        if ([2, 3, 6, 7].includes(i % 16)) expect(input[i]).toBeCloseTo(expected[fill](i), 6);
        else expect(input[i]).toBe(pixels[i]);
      }
    }
    const imputed = bare.without(gone, "linear", createRandom(1));
    expect(imputed).toEqual(bare.without(gone, "linear", createRandom(1)));
    expect(imputed.every((value, i) => [2, 3, 6, 7].includes(i % 16) || value === pixels[i])).toBe(true);
  });

  it("draws small noise from the stream it is given", () => {
    const noisy = subject.noisy!(0.1, createRandom(5));
    expect(noisy).toEqual(subject.noisy!(0.1, createRandom(5)));
    expect(Math.max(...noisy.map((v, i) => Math.abs(v - subject.input[i]!)))).toBeLessThanOrEqual(0.4 + 1e-6);
  });
});

describe("sentences", () => {
  const tokens = { ids: [101, 7, 8, 9, 102], units: [1, 2, 3], toInput: (ids: readonly number[]) => [...ids] };

  it("mask or drop units and keep special tokens", () => {
    const gone = Uint8Array.from([1, 0, 1]);
    expect(textSubject({ ...tokens, mask: 103 }).without(gone, "zero", random)).toEqual([101, 103, 8, 103, 102]);
    expect(textSubject(tokens).without(gone, "zero", random)).toEqual([101, 8, 102]);
  });
});

describe("maps of patches and of pixels", () => {
  const subject = pictureSubject({
    pixels: new Float32Array(16),
    channels: 1,
    height: 4,
    width: 4,
    grid: [2, 2],
    toInput: (pixels) => pixels,
  });
  const fine = Float32Array.from({ length: 16 }, (_, i) => i);

  it("a patch has the sum of its pixels, and a pixel map stays as it is", () => {
    expect([...perUnit(subject, fine)]).toEqual([0 + 1 + 4 + 5, 2 + 3 + 6 + 7, 8 + 9 + 12 + 13, 10 + 11 + 14 + 15]);
    expect(perPixel(subject, fine)).toBe(fine);
    expect([columnsOf(subject, fine), columnsOf(subject, [1, 2, 3, 4])]).toEqual([4, 2]);
  });

  it("a map of patches is enlarged where pixels are asked for", () => {
    const coarse = Float32Array.of(1, 2, 3, 4);
    expect(perUnit(subject, coarse)).toBe(coarse);
    expect(perPixel(subject, coarse).length).toBe(16);
    expect(perPixel(subject, coarse)[0]).toBe(1);
    expect(perPixel(subject, coarse)[15]).toBe(4);
  });
});
