/**
 * A contact sheet: rows of pictures (or of classes of one picture), a column for each method. Methods have units of their own, so
 * every column has its own scale unless asked otherwise; the legend with its numbers stands below the column. A column says in its
 * head what a reader must know before comparing: what it costs, whether it answers for the class at all.
 */
import { blit, strokeRectangle } from "./draw.js";
import { drawText, type Font, textWidth, wrapText } from "./font.js";
import type { GridMap } from "./grid.js";
import { hatchNote } from "./legend.js";
import type { OverlayOptions } from "./overlay.js";
import { drawPanel, fitPicture } from "./panel.js";
import { createRgb, type Raster, type Rectangle, type RgbRaster } from "./raster.js";
import { makeScales, type Scale, type ScaleOptions } from "./scale.js";
import { fadedNote, isCropped } from "./sheet.js";
import { type Cell, drawLegendBlock, drawParagraph, drawRow, type Layout, layoutFor, stack } from "./sheet-layout.js";
import { themes } from "./theme.js";

/** The head of a column. */
export interface MatrixColumn {
  readonly title: string;
  /** Lines below the title, e.g. what the method costs. */
  readonly notes: readonly string[];
  /** In a frame, for what must not be overlooked, e.g. "not class-specific". */
  readonly stamp?: string;
}

/** A picture with one map per column; a text stands where there is no map. */
export interface MatrixRow {
  readonly title: string;
  readonly picture: Raster;
  /** `Geometry.rectangle`: where the maps lie on the picture, in its pixels. */
  readonly rectangle?: Rectangle;
  readonly cells: readonly (GridMap | string)[];
}

export interface MatrixOptions {
  readonly title?: string;
  readonly caption?: string;
  /** Lines below the caption in columns of characters, e.g. a table of numbers; not wrapped. */
  readonly table?: readonly string[];
  readonly provenance?: string;
  readonly overlay?: OverlayOptions;
  /** One scale for each column (default), each map or everything; "fixed" as in `ScaleOptions`. */
  readonly scale?: Omit<ScaleOptions, "mode"> & { readonly mode?: ScaleOptions["mode"] | "column" };
  /** Width of a panel in pixels; default 256. */
  readonly panelSize?: number;
  /** Methods in a line; default: all up to seven, then as even as possible. */
  readonly columns?: number;
  readonly theme?: keyof typeof themes;
}

/** Draws the sheet. Throws `bad-raster`, `bad-map`, `bad-option`. */
export function drawMatrix(
  columns: readonly MatrixColumn[],
  rows: readonly MatrixRow[],
  options: MatrixOptions = {},
): RgbRaster {
  const theme = themes[options.theme ?? "light"];
  const mode = options.overlay?.mode === "side-by-side" ? "map" : (options.overlay?.mode ?? "alpha");
  const overlay: OverlayOptions = { paper: theme.paper, ...options.overlay, mode };
  const across = options.columns ?? Math.ceil(columns.length / Math.max(1, Math.ceil(columns.length / 7)));
  const layout = layoutFor(options.panelSize ?? 256, Math.max(across, 1) + 1, theme, overlay);
  const { gap, heading, body, small } = layout;
  const scales = matrixScales(columns.length, rows, options.scale);
  const shared = scales[0]?.[0] !== undefined && scales.flat().every((scale) => scale === scales[0]![0]);
  const blocks: { picture: RgbRaster; space: number }[] = [];
  const push = (picture: RgbRaster, space: number) => blocks.push({ picture, space: Math.round(space) });
  if (options.title) push(drawParagraph(options.title, layout, heading, theme.ink), gap / 2);
  for (let first = 0; first < columns.length; first += across) {
    const last = Math.min(columns.length, first + across);
    push(drawHeads(columns.slice(first, last), layout), gap / 2);
    for (const [r, row] of rows.entries()) {
      push(drawParagraph(row.title, layout, body, theme.ink), gap / 5);
      push(drawRow(cellsOf(row, scales[r]!, [first, last], options, layout), layout), gap);
    }
    if (!shared && options.scale?.mode !== "map") push(drawLegends(scales[0]!.slice(first, last), layout), gap);
  }
  if (shared) push(drawLegendBlock(scales[0]![0]!, layout), gap);
  if (rows.some(({ picture, rectangle }) => isCropped(picture, rectangle)))
    push(drawParagraph(fadedNote, layout, body, theme.muted), gap / 2);
  if (options.caption) push(drawParagraph(options.caption, layout, body, theme.ink), gap / 2);
  if (options.table) push(drawLines(options.table, layout, body), gap / 2);
  if (options.provenance) push(drawParagraph(options.provenance, layout, small, theme.muted), gap / 2);
  return stack(blocks, layout);
}

/** `[row][column]`; the same object where a scale is shared. A column without any map has the scale of nothing. */
function matrixScales(columns: number, rows: readonly MatrixRow[], options: MatrixOptions["scale"] = {}): Scale[][] {
  const { mode = "column", ...rest } = options;
  const mapOf = (row: MatrixRow, c: number): GridMap => {
    const cell = row.cells[c];
    return typeof cell === "object" ? cell : { rows: 1, columns: 1, values: [Number.NaN] };
  };
  if (mode !== "column") {
    const flat = makeScales(
      rows.flatMap((row) => Array.from({ length: columns }, (_, c) => mapOf(row, c))),
      { ...rest, mode },
    );
    return rows.map((_, r) => flat.slice(r * columns, (r + 1) * columns));
  }
  const byColumn = Array.from({ length: columns }, (_, c) =>
    makeScales(
      rows.map((row) => mapOf(row, c)),
      { ...rest, mode: "set" },
    ),
  );
  return rows.map((_, r) => byColumn.map((column) => column[r]!));
}

function cellsOf(
  { picture, rectangle, cells }: MatrixRow,
  scales: readonly Scale[],
  [first, last]: readonly [number, number],
  { scale }: MatrixOptions,
  { panel, overlay, body, theme }: Layout,
): Cell[] {
  const fitted = fitPicture(picture, panel, panel);
  const cell = (drawn: RgbRaster, legend: Scale | null = null): Cell => ({
    title: "",
    subtitle: "",
    picture: drawn,
    legend,
  });
  const missing = (text: string): RgbRaster => {
    const out = createRgb(fitted.raster.width, fitted.raster.height, theme.faint);
    const step = Math.round(body.height * 1.2);
    const lines = wrapText(text, out.width - body.width, body, Math.max(1, Math.floor(out.height / step)));
    const top = Math.max(0, (out.height - step * lines.length) / 2);
    for (const [i, line] of lines.entries())
      drawText(out, line, (out.width - textWidth(line, body)) / 2, top + i * step, body, theme.muted);
    return out;
  };
  return [
    cell(drawPanel(fitted, null, null, {}, undefined)),
    ...cells.slice(first, last).map((each, i) => {
      if (typeof each === "string") return cell(missing(each));
      const own = scales[first + i]!;
      return cell(drawPanel(fitted, each, own, overlay, rectangle), scale?.mode === "map" ? own : null);
    }),
  ];
}

/** Titles, notes and stamps; the first column is the picture's. */
function drawHeads(columns: readonly MatrixColumn[], layout: Layout): RgbRaster {
  const { panel, gap, body, theme } = layout;
  const step = Math.round(body.height * 1.25);
  const heads = columns.map(({ title, notes, stamp }) => ({
    lines: [
      ...wrapText(title, panel, body, 3).map((line) => ({ line, color: theme.ink })),
      ...notes.flatMap((note) => wrapText(note, panel, body, 2).map((line) => ({ line, color: theme.muted }))),
    ],
    stamp,
  }));
  const tall = Math.max(1, ...heads.map(({ lines, stamp }) => lines.length + (stamp ? 1.4 : 0)));
  const out = createRgb(layout.inner, Math.ceil(tall * step), theme.paper);
  drawText(out, "picture", 0, 0, body, theme.ink);
  for (const [i, { lines, stamp }] of heads.entries()) {
    const x = (i + 1) * (panel + gap);
    for (const [k, { line, color }] of lines.entries()) drawText(out, line, x, k * step, body, color);
    if (!stamp) continue;
    const y = Math.round((lines.length + 0.15) * step);
    const width = Math.min(panel, textWidth(stamp, body) + body.width * 2);
    strokeRectangle(out, { x, y, width, height: step }, Math.max(1, Math.round(body.height / 12)), theme.ink);
    drawText(out, stamp, x + body.width, y + (step - body.height) / 2, body, theme.ink);
  }
  return out;
}

function drawLegends(scales: readonly Scale[], layout: Layout): RgbRaster {
  const { panel, gap, inner, theme } = layout;
  const legends = scales.map((scale) =>
    drawLegendBlock(scale, { ...layout, inner: panel }, `method's own scale${scale.signed ? hatchNote : ""}`),
  );
  const out = createRgb(inner, Math.max(...legends.map(({ height }) => height)), theme.paper);
  for (const [i, legend] of legends.entries()) blit(out, legend, (i + 1) * (panel + gap), 0);
  return out;
}

function drawLines(lines: readonly string[], { inner, theme }: Layout, font: Font): RgbRaster {
  const step = Math.round(font.height * 1.2);
  const out = createRgb(inner, step * Math.max(1, lines.length), theme.paper);
  for (const [i, line] of lines.entries()) drawText(out, line, 0, i * step, font, theme.ink);
  return out;
}
