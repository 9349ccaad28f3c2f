/**
 * From pixels to tensor, from map to picture. Pure TypeScript on rasters: decoding and PNG encoding are the caller's.
 */
export { type Colormap, type ColormapName, colorAt, colormaps, defaultColormap } from "./colormap.js";
export { blit, fillRectangle, strokeRectangle } from "./draw.js";
export { PictureError, type PictureErrorCode, type Problem } from "./error.js";
export { drawText, type Font, fontFor, textWidth, wrapText } from "./font.js";
export { type GridMap, type Interpolation, keepSign, sumCells, sumChannels, upsample } from "./grid.js";
export { drawLegend, formatNumber, formatPercent, type LegendOptions, scaleLabel } from "./legend.js";
export { drawMatrix, type MatrixColumn, type MatrixOptions, type MatrixRow } from "./matrix.js";
export { type OverlayMode, type OverlayOptions, overlay, overlayModes } from "./overlay.js";
export { type Box, type Fitted, fitPicture } from "./panel.js";
export { type Geometry, onSource, type Preprocessed, preprocess, resizedSize } from "./preprocess.js";
export { defaultPreprocessing, readPreprocessing } from "./preprocess-config.js";
export { type Preprocessing, type ReadOptions, type ResizeRule, staticSize } from "./preprocessing.js";
export {
  createRgb,
  type Pixels,
  type Raster,
  type Rectangle,
  type Rgb,
  type RgbRaster,
  toGrey,
  toRgb,
} from "./raster.js";
export { type Filter, filterByCode, resample } from "./resample.js";
export { makeScale, makeScales, position, type Scale, type ScaleMode, type ScaleOptions, strength } from "./scale.js";
export { drawExplanation, drawRows, drawSheet, type Panel, type PanelRow, type SheetOptions } from "./sheet.js";
export { type Summary, type SummaryOptions, summarize } from "./summary.js";
export { type Theme, themes } from "./theme.js";
