/**
 * A finished picture: title, panels, legend, caption, provenance. One explanation; several targets side by side with one shared
 * scale; or rows of them (methods x classes), each row with a scale of its own, since methods have different units.
 * Text grows with the panels. Nothing here computes relevance: it draws what it is given.
 */
import type { GridMap } from "./grid.js";
import type { OverlayOptions } from "./overlay.js";
import { type Box, drawPanel, type Fitted, fitPicture } from "./panel.js";
import type { Raster, Rectangle, RgbRaster } from "./raster.js";
import { makeScales, type ScaleOptions } from "./scale.js";
import { type Cell, drawLegendBlock, drawParagraph, drawRow, layoutFor, stack } from "./sheet-layout.js";
import { themes } from "./theme.js";

/** One explanation on a sheet. */
export interface Panel {
  /** e.g. "WBC 98.3 %". At most two lines are shown. */
  readonly title: string;
  /** e.g. the method. At most two lines are shown. */
  readonly subtitle?: string;
  readonly map: GridMap;
}

/** A row of explanations with a title of its own, e.g. a method. */
export interface PanelRow {
  readonly title?: string;
  readonly panels: readonly Panel[];
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
  /** Default: one scale for the maps of a row. */
  readonly scale?: ScaleOptions;
  /** Rectangles to draw on every panel, in pixels of the picture. */
  readonly boxes?: readonly Box[];
  /** Show the picture alone before the first panel of each row; default true. */
  readonly original?: boolean;
  /** Panels in a line, the original included; default: all up to four, then as even as possible. */
  readonly columns?: number;
  /** Longer side of a panel's picture in pixels; default 480 (one explanation: 800). Small pictures are enlarged to at least 320. */
  readonly panelSize?: number;
  readonly theme?: keyof typeof themes;
}

/** One explanation: title, picture with overlay, legend, caption. With mode "side-by-side" the picture stands beside the map. */
export function drawExplanation(picture: Raster, panel: Panel, options: SheetOptions = {}): RgbRaster {
  const original = options.original ?? options.overlay?.mode === "side-by-side";
  return drawSheet(picture, [panel], { panelSize: 800, scale: { mode: "map" }, ...options, original });
}

/** The picture and one panel for each explanation. Throws `bad-raster`, `bad-map`, `bad-option`. */
export function drawSheet(picture: Raster, panels: readonly Panel[], options: SheetOptions = {}): RgbRaster {
  return drawRows(picture, [{ panels }], options);
}

/** Several rows, e.g. one for each method with one panel for each class. Throws `bad-raster`, `bad-map`, `bad-option`. */
export function drawRows(picture: Raster, rows: readonly PanelRow[], options: SheetOptions = {}): RgbRaster {
  const theme = themes[options.theme ?? "light"];
  const mode = options.overlay?.mode === "side-by-side" ? "map" : (options.overlay?.mode ?? "alpha");
  const overlay: OverlayOptions = { paper: theme.paper, ...options.overlay, mode };
  const size = options.panelSize ?? 480;
  const fitted = fitPicture(picture, Math.min(320, size), size);
  const original = options.original ?? true;
  const longest = Math.max(1, ...rows.map((r) => r.panels.length + (original ? 1 : 0)));
  const columns = options.columns ?? Math.ceil(longest / Math.ceil(longest / 4));
  const layout = layoutFor(Math.max(320, fitted.raster.width), columns, theme, overlay);
  const { gap, heading, body, small } = layout;
  const blocks: { picture: RgbRaster; space: number }[] = [];
  const push = (block: RgbRaster, space: number) => blocks.push({ picture: block, space: Math.round(space) });
  if (options.title) push(drawParagraph(options.title, layout, heading, theme.ink), gap / 2);
  for (const { title, panels } of rows) {
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
    if (original) cells.unshift(originalCell(picture, fitted, options.boxes));
    if (title) push(drawParagraph(title, layout, heading, theme.ink), gap / 4);
    for (let at = 0; at < cells.length; at += columns) push(drawRow(cells.slice(at, at + columns), layout), gap);
    if (shared && scales[0]) push(drawLegendBlock(scales[0], layout), gap * 0.75);
  }
  if (options.caption) push(drawParagraph(options.caption, layout, body, theme.ink), gap / 2);
  if (isCropped(picture, options.rectangle)) {
    push(drawParagraph(fadedNote, layout, body, theme.muted), gap / 2);
  }
  if (options.provenance) push(drawParagraph(options.provenance, layout, small, theme.muted), gap / 2);
  return stack(blocks, layout);
}

function originalCell(picture: Raster, fitted: Fitted, boxes: readonly Box[] | undefined): Cell {
  const drawn = drawPanel(fitted, null, null, {}, undefined, boxes);
  return { title: "picture", subtitle: `${picture.width}×${picture.height} pixels`, picture: drawn, legend: null };
}

export const fadedNote = "Faded: outside of what the model sees.";

/** Whether more than half a pixel of the picture lies outside of the rectangle. */
export function isCropped(picture: Raster, seen: Rectangle | undefined): boolean {
  if (!seen) return false;
  const right = seen.x + seen.width;
  const bottom = seen.y + seen.height;
  return seen.x > 0.5 || seen.y > 0.5 || right < picture.width - 0.5 || bottom < picture.height - 0.5;
}
