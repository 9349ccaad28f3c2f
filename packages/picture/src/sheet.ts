/**
 * A finished picture: title, panels, one legend, caption, provenance. One explanation or several targets side by side with one
 * shared scale; text grows with the panels. Nothing here computes relevance: it draws what it is given.
 */
import { blit } from "./draw.js";
import { drawText, type Font, fontFor, wrapText } from "./font.js";
import type { GridMap } from "./grid.js";
import { drawLegend, legendHeight } from "./legend.js";
import type { OverlayOptions } from "./overlay.js";
import { type Box, drawPanel, fitPicture } from "./panel.js";
import { createRgb, type Raster, type Rectangle, type RgbRaster } from "./raster.js";
import { makeScales, type Scale, type ScaleOptions } from "./scale.js";
import { type Theme, themes } from "./theme.js";

/** One explanation on a sheet. */
export interface Panel {
  /** e.g. "WBC  98.3 %". At most two lines are shown. */
  readonly title: string;
  /** e.g. the method, or the summary sentence. */
  readonly subtitle?: string;
  readonly map: GridMap;
}

export interface SheetOptions {
  /** First line over everything. */
  readonly title?: string;
  /** Below the legend, e.g. the summary sentence; wrapped. */
  readonly caption?: string;
  /** Small last line: model, method, version, hash; wrapped. */
  readonly provenance?: string;
  /** `Geometry.rectangle`: where the maps lie on the picture, in its pixels. Default: all of it. */
  readonly rectangle?: Rectangle;
  readonly overlay?: OverlayOptions;
  readonly scale?: ScaleOptions;
  readonly boxes?: readonly Box[];
  /** Show the picture alone before the first panel; default true. */
  readonly original?: boolean;
  /** Panels in a row, the original included; default: all up to four, then as even as possible. */
  readonly columns?: number;
  /** Longer side of a panel's picture in pixels; default 480 (one panel: 800). Small pictures are enlarged to at least 320. */
  readonly panelSize?: number;
  readonly theme?: keyof typeof themes;
}

interface Cell {
  readonly title: string;
  readonly subtitle: string;
  readonly picture: RgbRaster;
  readonly legend: Scale | null;
}

/** One explanation: title, picture with overlay, legend, caption. With mode "side-by-side" the picture stands beside the map. */
export function drawExplanation(picture: Raster, panel: Panel, options: SheetOptions = {}): RgbRaster {
  const original = options.original ?? options.overlay?.mode === "side-by-side";
  return drawSheet(picture, [panel], { panelSize: 800, scale: { mode: "map" }, ...options, original });
}

/** The picture and one panel for each explanation. Throws `bad-raster`, `bad-map`, `bad-option`. */
export function drawSheet(picture: Raster, panels: readonly Panel[], options: SheetOptions = {}): RgbRaster {
  const theme = themes[options.theme ?? "light"];
  const mode = options.overlay?.mode === "side-by-side" ? "map" : (options.overlay?.mode ?? "blend");
  const overlay: OverlayOptions = { ...options.overlay, mode };
  const size = options.panelSize ?? 480;
  const fitted = fitPicture(picture, Math.min(320, size), size);
  const scales = makeScales(
    panels.map((p) => p.map),
    options.scale,
  );
  const shared = scales.every((s) => s === scales[0]);
  const cells: Cell[] = panels.map((panel, i) => ({
    title: panel.title,
    subtitle: panel.subtitle ?? "",
    picture: drawPanel(fitted, panel.map, scales[i]!, overlay, options.rectangle, options.boxes),
    legend: shared ? null : scales[i]!,
  }));
  if (options.original ?? true) cells.unshift(originalCell(picture, fitted, options));
  const width = Math.max(320, fitted.raster.width);
  return compose(cells, width, shared ? (scales[0] ?? null) : null, overlay, theme, options);
}

function originalCell(picture: Raster, fitted: ReturnType<typeof fitPicture>, options: SheetOptions): Cell {
  const drawn = drawPanel(fitted, null, null, {}, undefined, options.boxes);
  const seen = options.rectangle;
  const whole =
    !seen ||
    (seen.x <= 0.5 &&
      seen.y <= 0.5 &&
      seen.x + seen.width >= picture.width - 0.5 &&
      seen.y + seen.height >= picture.height - 0.5);
  return {
    title: "picture",
    subtitle: `${picture.width}×${picture.height}${whole ? "" : ", pale: not seen by the model"}`,
    picture: drawn,
    legend: null,
  };
}

function compose(
  cells: readonly Cell[],
  width: number,
  shared: Scale | null,
  overlay: OverlayOptions,
  theme: Theme,
  options: SheetOptions,
): RgbRaster {
  const body = fontFor(width >= 1000 ? 32 : width >= 600 ? 24 : 16);
  const heading = fontFor(body.height * 1.5);
  const small = fontFor(Math.max(12, body.height * 0.75));
  const gap = Math.round(body.height * 1.25);
  const columns = options.columns ?? Math.ceil(cells.length / Math.ceil(cells.length / 4));
  const inner = columns * width + (columns - 1) * gap;
  const total = inner + 2 * gap;
  const blocks: { picture: RgbRaster; space: number }[] = [];
  const text = (content: string | undefined, font: Font, color: Theme["ink"], space: number) => {
    if (content) blocks.push({ picture: paragraph(content, inner, font, color, theme), space });
  };
  text(options.title, heading, theme.ink, gap / 2);
  for (let at = 0; at < cells.length; at += columns) {
    blocks.push({ picture: row(cells.slice(at, at + columns), width, columns, gap, body, overlay, theme), space: gap });
  }
  if (shared)
    blocks.push({
      picture: drawLegend(Math.min(inner, width * 2), shared, { ...overlay, font: body, theme }),
      space: gap / 2,
    });
  text(options.caption, body, theme.ink, gap / 2);
  text(options.provenance, small, theme.muted, gap / 2);
  const height = blocks.reduce(
    (sum, b) => sum + b.picture.height + Math.round(b.space),
    2 * gap - Math.round(blocks.at(-1)?.space ?? 0),
  );
  const out = createRgb(total, height, theme.paper);
  let y = gap;
  for (const block of blocks) {
    blit(out, block.picture, gap, y);
    y += block.picture.height + Math.round(block.space);
  }
  return out;
}

function paragraph(content: string, width: number, font: Font, color: Theme["ink"], theme: Theme): RgbRaster {
  const lines = wrapText(content, width, font);
  const step = Math.round(font.height * 1.2);
  const out = createRgb(width, step * lines.length, theme.paper);
  lines.forEach((line, i) => {
    drawText(out, line, 0, i * step, font, color);
  });
  return out;
}

/** A row of panels whose pictures stand at the same height. */
function row(
  cells: readonly Cell[],
  width: number,
  columns: number,
  gap: number,
  font: Font,
  overlay: OverlayOptions,
  theme: Theme,
): RgbRaster {
  const step = Math.round(font.height * 1.2);
  const texts = cells.map((cell) => ({
    title: wrapText(cell.title, width, font, 2),
    subtitle: cell.subtitle ? wrapText(cell.subtitle, width, font, 2) : [],
  }));
  const lines = Math.max(...texts.map((t) => t.title.length + t.subtitle.length));
  const top = lines * step + Math.round(font.height * 0.3);
  const high = Math.max(...cells.map((c) => c.picture.height));
  const legend = cells.some((c) => c.legend) ? legendHeight(font) + Math.round(gap / 2) : 0;
  const out = createRgb(columns * width + (columns - 1) * gap, top + high + legend, theme.paper);
  cells.forEach((cell, i) => {
    const x = i * (width + gap);
    const { title, subtitle } = texts[i]!;
    const first = lines - title.length - subtitle.length;
    for (const [k, line] of [...title, ...subtitle].entries()) {
      drawText(out, line, x, (first + k) * step, font, k < title.length ? theme.ink : theme.muted);
    }
    blit(out, cell.picture, x + Math.floor((width - cell.picture.width) / 2), top);
    if (cell.legend)
      blit(out, drawLegend(width, cell.legend, { ...overlay, font, theme }), x, top + high + Math.round(gap / 2));
  });
  return out;
}
