/**
 * Text without fonts: bitmap glyphs (Spleen, see font-data.ts) in four sizes and whole multiples of the largest.
 * Covers ASCII, Latin-1, dashes, ellipsis and a few signs; any other code point is drawn as a box. Monospaced.
 */
import { fontData, fontRanges, fontSingles } from "./font-data.js";
import type { Rgb, RgbRaster } from "./raster.js";

/** A size of the font: one character takes `width` x `height` pixels. */
export interface Font {
  readonly width: number;
  readonly height: number;
  /** Bits of the glyphs, row-major, before enlarging by `factor`. */
  readonly bits: Uint8Array;
  readonly factor: number;
}

const order = new Map<number, number>();
for (const [first, last] of fontRanges) for (let c: number = first; c <= last; c++) order.set(c, order.size);
for (const c of fontSingles) order.set(c, order.size);
const unknown = order.size - 1;

const cache = new Map<string, Font>();

/** The largest size that is at most `height` pixels high (12 is the smallest, then 16, 24, 32, 64, 96, ...). */
export function fontFor(height: number): Font {
  if (height >= 64) return font("16x32", Math.floor(height / 32));
  return font(height >= 32 ? "16x32" : height >= 24 ? "12x24" : height >= 16 ? "8x16" : "6x12", 1);
}

function font(name: keyof typeof fontData, factor: number): Font {
  const key = `${name}*${factor}`;
  const known = cache.get(key);
  if (known) return known;
  const [width, height] = name.split("x").map(Number) as [number, number];
  const made = { width: width * factor, height: height * factor, bits: decodeBase64(fontData[name]), factor };
  cache.set(key, made);
  return made;
}

/** Width of a line of text in pixels. */
export function textWidth(text: string, size: Font): number {
  return [...text.normalize("NFC")].length * size.width;
}

/** Draws one line of text with its top left corner at (x, y); what lies outside of the target is cut off. */
export function drawText(target: RgbRaster, text: string, x: number, y: number, size: Font, color: Rgb): void {
  const { factor, bits } = size;
  const width = size.width / factor;
  const height = size.height / factor;
  let left = Math.round(x);
  const top = Math.round(y);
  for (const character of text.normalize("NFC")) {
    const first = (order.get(character.codePointAt(0)!) ?? unknown) * width * height;
    for (let j = 0; j < size.height; j++) {
      for (let i = 0; i < size.width; i++) {
        const bit = first + Math.floor(j / factor) * width + Math.floor(i / factor);
        if (((bits[bit >> 3]! >> (7 - (bit & 7))) & 1) === 0) continue;
        const px = left + i;
        const py = top + j;
        if (px < 0 || py < 0 || px >= target.width || py >= target.height) continue;
        target.data.set(color, (py * target.width + px) * 3);
      }
    }
    left += size.width;
  }
}

/**
 * Breaks text into lines of at most `width` pixels, at spaces where possible; "\n" always breaks. With more than `maxLines`
 * lines the last one ends in an ellipsis.
 */
export function wrapText(text: string, width: number, size: Font, maxLines = Number.POSITIVE_INFINITY): string[] {
  const room = Math.max(1, Math.floor(width / size.width));
  const lines: string[] = [];
  for (const paragraph of text.normalize("NFC").split("\n")) {
    let line: string[] = [];
    for (const word of paragraph.split(/ +/).map((w) => [...w])) {
      if (line.length > 0 && line.length + 1 + word.length <= room) line.push(" ", ...word);
      else {
        if (line.length > 0) lines.push(line.join(""));
        let rest = word;
        for (; rest.length > room; rest = rest.slice(room)) lines.push(rest.slice(0, room).join(""));
        line = rest;
      }
    }
    lines.push(line.join(""));
  }
  if (lines.length <= maxLines) return lines;
  const last = [...lines[maxLines - 1]!].slice(0, room - 1).join("");
  return [...lines.slice(0, maxLines - 1), `${last.trimEnd()}…`];
}

/** Base64 to bytes without DOM or Node functions. */
function decodeBase64(text: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const clean = text.replace(/=+$/, "");
  const out = new Uint8Array(Math.floor((clean.length * 3) / 4));
  let held = 0;
  let count = 0;
  let at = 0;
  for (const character of clean) {
    held = ((held << 6) | alphabet.indexOf(character)) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out[at++] = (held >> count) & 0xff;
  }
  return out;
}
