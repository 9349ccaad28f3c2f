/** The parts of a sheet: sizes that follow from the panel's width, paragraphs, rows of panels, the legend. */
import { blit } from "./draw.js";
import { drawText, type Font, fontFor, wrapText } from "./font.js";
import { drawLegend, legendHeight } from "./legend.js";
import type { OverlayOptions } from "./overlay.js";
import { createRgb, type Rgb, type RgbRaster } from "./raster.js";
import type { Scale } from "./scale.js";
import type { Theme } from "./theme.js";

/** A picture with its lines of text, and its own legend where the scale is not shared. */
export interface Cell {
  readonly title: string;
  readonly subtitle: string;
  readonly picture: RgbRaster;
  readonly legend: Scale | null;
}

/** Sizes of a sheet in pixels. */
export interface Layout {
  readonly panel: number;
  readonly columns: number;
  /** Between panels and around everything. */
  readonly gap: number;
  /** Width without the margins. */
  readonly inner: number;
  readonly body: Font;
  readonly heading: Font;
  readonly small: Font;
  readonly theme: Theme;
  readonly overlay: OverlayOptions;
}

/** Text of 16 px for panels up to 600 px, 24 up to 1000, then 32. */
export function layoutFor(panel: number, columns: number, theme: Theme, overlay: OverlayOptions): Layout {
  const body = fontFor(panel >= 1000 ? 32 : panel >= 600 ? 24 : 16);
  const gap = Math.round(body.height * 1.25);
  return {
    panel,
    columns,
    gap,
    inner: columns * panel + (columns - 1) * gap,
    body,
    heading: fontFor(body.height * 1.5),
    small: fontFor(Math.max(12, body.height * 0.75)),
    theme,
    overlay,
  };
}

/** Text over the whole width, wrapped. */
export function drawParagraph(text: string, layout: Layout, font: Font, color: Rgb): RgbRaster {
  const lines = wrapText(text, layout.inner, font);
  const step = Math.round(font.height * 1.2);
  const out = createRgb(layout.inner, step * lines.length, layout.theme.paper);
  for (const [i, line] of lines.entries()) drawText(out, line, 0, i * step, font, color);
  return out;
}

/** The shared legend, at most two panels wide. */
export function drawLegendBlock(scale: Scale, layout: Layout, label?: string): RgbRaster {
  const { inner, panel, overlay, body, theme } = layout;
  const options = { ...overlay, font: body, theme, ...(label !== undefined && { label }) };
  return drawLegend(Math.min(inner, panel * 2), scale, options);
}

/** A row of panels; titles begin at the same height, and so do the pictures. */
export function drawRow(cells: readonly Cell[], layout: Layout): RgbRaster {
  const { panel, gap, body, theme, overlay } = layout;
  const step = Math.round(body.height * 1.2);
  const texts = cells.map(({ title, subtitle }) => [
    ...(title ? wrapText(title, panel, body, 2) : []).map((line) => ({ line, color: theme.ink })),
    ...(subtitle ? wrapText(subtitle, panel, body, 2) : []).map((line) => ({ line, color: theme.muted })),
  ]);
  const lines = Math.max(...texts.map((t) => t.length));
  const top = lines === 0 ? 0 : lines * step + Math.round(body.height * 0.3);
  const high = Math.max(...cells.map((c) => c.picture.height));
  const legend = cells.some((c) => c.legend) ? legendHeight(body) + Math.round(gap / 2) : 0;
  const out = createRgb(layout.inner, top + high + legend, theme.paper);
  for (const [i, cell] of cells.entries()) {
    const x = i * (panel + gap);
    for (const [k, { line, color }] of texts[i]!.entries()) drawText(out, line, x, k * step, body, color);
    blit(out, cell.picture, x + Math.floor((panel - cell.picture.width) / 2), top);
    if (!cell.legend) continue;
    blit(out, drawLegend(panel, cell.legend, { ...overlay, font: body, theme }), x, top + high + Math.round(gap / 2));
  }
  return out;
}

/** Blocks below each other, with a margin around. */
export function stack(
  blocks: readonly { readonly picture: RgbRaster; readonly space: number }[],
  { inner, gap, theme }: Layout,
): RgbRaster {
  const height = blocks.reduce((sum, b) => sum + b.picture.height + b.space, 2 * gap) - (blocks.at(-1)?.space ?? 0);
  const out = createRgb(inner + 2 * gap, height, theme.paper);
  let y = gap;
  for (const block of blocks) {
    blit(out, block.picture, gap, y);
    y += block.picture.height + block.space;
  }
  return out;
}
