/** The colour bar with its numbers: what the colours of a scale mean. */
import type { Colormap } from "./colormap.js";
import { fillRectangle } from "./draw.js";
import { drawText, type Font, fontFor, textWidth } from "./font.js";
import { chooseColormap, defaultLevels, hatchShare, lookOf, type OverlayOptions, onHatch } from "./overlay.js";
import { createRgb, type Rgb, type RgbRaster } from "./raster.js";
import { type Scale, strength } from "./scale.js";
import { type Theme, themes } from "./theme.js";

/** A number with at most three significant digits: 0.0123, 1.5e−5, 1230. The minus sign is U+2212. */
export function formatNumber(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5 ? value.toExponential(1) : `${Number(value.toPrecision(3))}`;
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** "62 %", "0.4 %", "99.6 %", "<0.1 %"; 0 % and 100 % only where it is exactly so. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  if (percent >= 99 && percent < 100) return `${Math.min(99.9, Number(percent.toFixed(1)))} %`;
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

export interface LegendOptions extends OverlayOptions {
  /** Line above the bar; default "relevance" with the kind of scale. */
  readonly label?: string;
  readonly font?: Font;
  readonly theme?: Theme;
}

export const hatchNote = ", hatched < 0";

/** What the legend says about a scale. Values below zero are hatched on the picture as on the bar. */
export function scaleLabel(scale: Scale): string {
  const kind = { map: "scale of this map", set: "shared scale", fixed: "fixed scale" }[scale.mode];
  const clipped = scale.clip > 0 ? `, ${scale.clip} % clipped` : "";
  const outside = scale.outside > 0 ? `, ${scale.outside} ${scale.outside === 1 ? "value" : "values"} outside` : "";
  return `relevance, ${kind}${clipped}${outside}${scale.signed ? hatchNote : ""}`;
}

/** Height of a legend in pixels. */
export function legendHeight(font: Font): number {
  return Math.round(font.height * 3.4);
}

/** Draws a legend `width` pixels wide: label, bar, numbers at min, zero or middle, and max. */
export function drawLegend(width: number, scale: Scale, options: LegendOptions = {}): RgbRaster {
  const font = options.font ?? fontFor(16);
  const theme = options.theme ?? themes.light;
  const out = createRgb(width, legendHeight(font), theme.paper);
  const label = options.label ?? scaleLabel(scale);
  // A narrow legend has no room for what it stands under anyway.
  drawText(out, textWidth(label, font) > width ? label.replace(/^relevance, /, "") : label, 0, 0, font, theme.muted);
  const top = Math.round(font.height * 1.15);
  const barHeight = Math.round(font.height * 0.95);
  const colors = chooseColormap(scale, options.colormap);
  fillRectangle(out, 0, top, width, barHeight, theme.muted);
  for (let x = 1; x < width - 1; x++) {
    const value = scale.min + ((x - 0.5) / (width - 2)) * (scale.max - scale.min);
    const color = barColor(value, scale, options, colors, theme);
    fillRectangle(out, x, top + 1, 1, barHeight - 2, color);
    if (!scale.signed || value >= 0) continue;
    const pale = ([0, 1, 2] as const).map((c) => theme.faint[c] + (color[c] - theme.faint[c]) * hatchShare);
    for (let y = top + 1; y < top + barHeight - 1; y++)
      if (onHatch(x, y, font.height / 2))
        fillRectangle(out, x, y, 1, 1, pale.map(Math.round) as [number, number, number]);
  }
  const middle = (scale.min + scale.max) / 2;
  const marks = scale.max === scale.min ? [scale.max] : [scale.min, middle, scale.max];
  const y = top + barHeight + Math.round(font.height * 0.15);
  for (const value of marks) {
    const text = formatNumber(Math.abs(value) < 1e-12 * scale.max ? 0 : value);
    const share = scale.max === scale.min ? 0 : (value - scale.min) / (scale.max - scale.min);
    const at = share * (width - 1);
    const wide = textWidth(text, font);
    fillRectangle(out, Math.round(at), top + barHeight, 1, Math.max(2, Math.round(font.height / 6)), theme.muted);
    drawText(
      out,
      text,
      Math.min(width - wide, Math.max(0, at - wide / 2)),
      y + Math.round(font.height / 10),
      font,
      theme.ink,
    );
  }
  return out;
}

/** What stands on the bar at a value: mixed over a pale ground as the picture is; for contours only the levels. */
function barColor(value: number, scale: Scale, options: LegendOptions, colors: Colormap, theme: Theme): Rgb {
  const ground = theme.faint;
  const { mode = "alpha" } = options;
  // a mask has no colours: dark is what it hides
  if (mode === "mask") return strength(scale, value) >= (options.threshold ?? 0.5) ? ground : [70, 70, 70];
  const { color, opacity } = lookOf(scale, value, mode === "blend" ? { ...options, opacity: 1 } : options, colors);
  const near = (level: number) => Math.abs(strength(scale, value) - level) < 0.012;
  const share = mode === "contour" && !(options.levels ?? defaultLevels).some(near) ? 0 : opacity;
  const mix = (c: 0 | 1 | 2) => Math.round(ground[c] + (color[c] - ground[c]) * share);
  return [mix(0), mix(1), mix(2)];
}
