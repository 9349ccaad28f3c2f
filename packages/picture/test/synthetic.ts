/** The pictures of golden/make.py, and helpers to read the goldens. */
import type { Raster } from "../src/index.js";

export function synthetic(kind: string, width: number, height: number, channels: 1 | 3 | 4): Raster {
  const data = new Uint8Array(width * height * channels);
  let s = BigInt(width * height + channels);
  let i = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        s = (s * 1103515245n + 12345n) % 2147483648n;
        const v = Number(s >> 16n) & 255;
        data[i++] = kind === "noise" ? v : (v & 63) + ((x * 3 + y * 2 + c * 40) % 192);
      }
    }
  }
  return { width, height, channels, data };
}

export const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

export function fnv(data: Uint8Array): number {
  let h = 2166136261;
  for (const b of data) h = Math.imul(h ^ b, 16777619) >>> 0;
  return h;
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}
