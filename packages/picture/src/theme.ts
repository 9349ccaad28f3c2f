/** Colours of paper and ink around the pictures. Contrast of ink and muted ink on paper is above 7:1 and 4.5:1. */
import type { Rgb } from "./raster.js";

export interface Theme {
  readonly paper: Rgb;
  readonly ink: Rgb;
  readonly muted: Rgb;
  readonly faint: Rgb;
}

export const themes = {
  light: { paper: [255, 255, 255], ink: [24, 24, 27], muted: [92, 92, 100], faint: [232, 232, 235] },
  dark: { paper: [20, 20, 24], ink: [240, 240, 244], muted: [168, 168, 178], faint: [58, 58, 66] },
} as const satisfies Record<string, Theme>;
