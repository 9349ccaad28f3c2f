/**
 * Text in and out: where every token stands in the original string, the inputs a model wants, long texts in windows,
 * relevance of tokens as relevance of words and sentences, and the pages and pictures that show it.
 *
 * @packageDocumentation
 */
export { type EncodedRow, type EncodeOptions, type Encoding, encode, type Overflow } from "./encode.js";
export { TextError, type TextErrorCode } from "./errors.js";
export { type Batch, type InputSpec, type InputType, maxLengthOf, rowsOf, type TextInput, toBatch } from "./inputs.js";
export { meaningOf, type TextMeaning, textMeanings } from "./meaning.js";
export { type MergeRule, mergeWindows, type RowValues } from "./merge.js";
export { type AnsiColors, type AnsiOptions, toAnsi } from "./render/ansi.js";
export { background, contrast, css, ink, PALETTES, type Palette, type Rgb, type Theme } from "./render/color.js";
export { type TokenJson, toCsv, toTokensJson } from "./render/data.js";
export { type HtmlOptions, toFragment, toHtml } from "./render/html.js";
export { SCRIPT as pageScript, styles as pageStyles } from "./render/html-parts.js";
export { type SvgOptions, toSvg } from "./render/svg.js";
export { ranks, type Scale, STEPS, scaleOf, share, specialNote, step } from "./scale.js";
export type { Dropped, Segment, Token } from "./token.js";
export { createTokenizer, type Row, type TextTokenizer, type Tokenized } from "./tokenizer.js";
export { type Combine, defaultCombine, toUnits, type Unit, type UnitKind, type UnitOptions } from "./units.js";
export { summarize, type TextView, toView, type ViewOptions } from "./view.js";
