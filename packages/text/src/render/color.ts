import { STEPS } from "../scale.js";

export type Rgb = readonly [number, number, number];
export type Theme = "light" | "dark";

/** Page, text and muted text of a theme, and the two ends of the scale. Orange and blue are told apart with any colour vision. */
export interface Palette {
  readonly page: Rgb;
  readonly text: Rgb;
  readonly muted: Rgb;
  readonly positive: readonly Rgb[];
  readonly negative: readonly Rgb[];
}

export const PALETTES: Readonly<Record<Theme, Palette>> = {
  light: {
    page: [255, 255, 255],
    text: [26, 26, 26],
    muted: [95, 95, 95],
    positive: [
      [255, 255, 255],
      [253, 208, 162],
      [241, 105, 19],
      [140, 45, 4],
    ],
    negative: [
      [255, 255, 255],
      [198, 219, 239],
      [66, 146, 198],
      [8, 69, 148],
    ],
  },
  dark: {
    page: [18, 18, 18],
    text: [236, 236, 236],
    muted: [165, 165, 165],
    positive: [
      [18, 18, 18],
      [110, 44, 4],
      [217, 95, 14],
      [255, 186, 116],
    ],
    negative: [
      [18, 18, 18],
      [10, 55, 110],
      [50, 130, 200],
      [160, 210, 250],
    ],
  },
};

/** The background of a step (-10 to 10) of the scale. */
export function background(step: number, theme: Theme): Rgb {
  const stops = step < 0 ? PALETTES[theme].negative : PALETTES[theme].positive;
  const at = (Math.min(STEPS, Math.abs(step)) / STEPS) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const mix = (i: 0 | 1 | 2) => Math.round(stops[low]![i] + (stops[low + 1]![i] - stops[low]![i]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}

/** Black or white, whichever reads better on `color`. One of them always reaches 4.5:1. */
export function ink(color: Rgb): Rgb {
  const black: Rgb = [0, 0, 0];
  const white: Rgb = [255, 255, 255];
  return contrast(color, black) >= contrast(color, white) ? black : white;
}

/** The contrast ratio of WCAG 2, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: Rgb): number {
  const [r, g, b] = color.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export const css = ([r, g, b]: Rgb): string =>
  `#${[r, g, b].map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;

/** The nearest colour of the 6 x 6 x 6 cube of 256-colour terminals. */
export function cube([r, g, b]: Rgb): { index: number; rgb: Rgb } {
  const levels = [0, 95, 135, 175, 215, 255];
  const nearest = (channel: number) =>
    levels.reduce((best, level, i) => (Math.abs(level - channel) < Math.abs(levels[best]! - channel) ? i : best), 0);
  const [i, j, k] = [nearest(r), nearest(g), nearest(b)];
  return { index: 16 + 36 * i + 6 * j + k, rgb: [levels[i]!, levels[j]!, levels[k]!] };
}
