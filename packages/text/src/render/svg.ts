import { ranks, raw, share, signed, step } from "../scale.js";
import { characters } from "../segment.js";
import type { TextView } from "../view.js";
import { background, css, ink, PALETTES, type Theme } from "./color.js";
import { flow, heading, rightToLeft } from "./flow.js";
import { markup } from "./html.js";

export interface SvgOptions {
  readonly theme?: Theme;
  /** Width in pixels. Default 720. */
  readonly width?: number;
}

const FONT = 16;
const ADVANCE = 9.6;
const LINE = 34;
const MARGIN = 16;

interface Placed {
  readonly unit: number | undefined;
  readonly text: string;
  x: number;
  readonly line: number;
  readonly width: number;
}

/**
 * The text as a picture whose words are real text. A monospaced font and `textLength` make every word exactly as wide as its
 * background, whatever font the viewer has. Right-to-left texts run from the right.
 */
export function toSvg(view: TextView, options: SvgOptions = {}): string {
  const { theme = "light", width = 720 } = options;
  const colors = PALETTES[theme];
  const room = width - 2 * MARGIN;
  const placed = layout(view, room);
  if (rightToLeft(view.texts[0])) for (const each of placed) each.x = room - each.x - each.width;
  const lines = 1 + Math.max(0, ...placed.map((each) => each.line));
  const notes = [view.summary, ...view.notes].flatMap((note) => wrap(note, Math.floor(room / (ADVANCE * 0.8))));
  const title = heading(view);
  const head = title ? wrap(title, Math.floor(room / (ADVANCE * 0.875))) : [];
  const top = MARGIN + (title ? 8 + head.length * 20 : 0);
  const legendTop = top + lines * LINE + 12;
  const notesTop = legendTop + 44;
  const height = notesTop + notes.length * 20 + MARGIN;
  const places = ranks(view.units);
  const text = placed.map((each) => word(view, each, top, theme, places)).join("\n");
  const foot = notes
    .map(
      (note, i) =>
        `<text x="${MARGIN}" y="${notesTop + i * 20}" font-size="13" fill="${css(colors.muted)}">${markup(note)}</text>`,
    )
    .join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${markup(view.summary)}" font-family="monospace" font-size="${FONT}">
<title>${markup(view.summary)}</title>
<rect width="100%" height="100%" fill="${css(colors.page)}"/>
${head.map((line, i) => `<text x="${MARGIN}" y="${MARGIN + 12 + i * 20}" font-size="14" font-weight="bold" fill="${css(colors.text)}">${markup(line)}</text>`).join("\n")}
${text}
${legend(view, theme, legendTop)}
${foot}
</svg>
`;
}

function layout(view: TextView, room: number): Placed[] {
  const placed: Placed[] = [];
  let x = 0;
  let line = 0;
  for (const { unit, text } of flow(view)) {
    for (const [i, part] of text.split(/\r\n|\n|\r/u).entries()) {
      if (i > 0) {
        x = 0;
        line++;
      }
      const width = Math.min(room, columns(part) * ADVANCE);
      if (x > 0 && x + width > room) {
        x = 0;
        line++;
      }
      if (part === "" || (unit === undefined && part.trim() === "" && x === 0)) continue;
      placed.push({ unit, text: part, x, line, width });
      x += width;
    }
  }
  return placed;
}

function word(
  view: TextView,
  { unit, text, x, line, width }: Placed,
  start: number,
  theme: Theme,
  places: readonly (number | undefined)[],
): string {
  if (text.trim() === "" && unit === undefined) return "";
  const top = start + line * LINE;
  const left = MARGIN + x;
  const colors = PALETTES[theme];
  const each = unit === undefined ? undefined : view.units[unit]!;
  const level = each && !each.special ? step(each.value, view.scale) : 0;
  const fill = each?.special ? colors.muted : level === 0 ? colors.text : ink(background(level, theme));
  const attributes = `x="${round(left)}" y="${top + 19}" textLength="${round(width)}" lengthAdjust="spacingAndGlyphs" fill="${css(fill)}"`;
  const body = `<text ${attributes} xml:space="preserve">${markup(text)}</text>`;
  if (!each) return body;
  const value = each.special
    ? `special token, ${raw(each.value)}`
    : `${signed(share(each.value, view.scale))} (${raw(each.value)}), rank ${places[unit!]}${each.unknown ? ", unknown to the model" : ""}`;
  const box = level === 0 ? "" : rectangle(left, top, width, level, theme);
  return `<g><title>${markup(`${each.text}: ${value}`)}</title>${box}${body}</g>`;
}

/** The background, with the line that carries the sign: solid for positive, dashed for negative. */
function rectangle(left: number, top: number, width: number, level: number, theme: Theme): string {
  const color = background(level, theme);
  const dash = level < 0 ? ' stroke-dasharray="3 2"' : "";
  const line = `<line x1="${round(left)}" x2="${round(left + width)}" y1="${top + 28}" y2="${top + 28}" stroke="${css(PALETTES[theme].text)}" stroke-width="2"${dash}/>`;
  return `<rect x="${round(left)}" y="${top}" width="${round(width)}" height="26" rx="3" fill="${css(color)}"/>${line}`;
}

function legend({ scale }: TextView, theme: Theme, top: number): string {
  const steps = scale.signed ? [-10, -8, -6, -4, -2, 2, 4, 6, 8, 10] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const low = scale.signed ? `−${raw(scale.limit)}` : "0";
  const start = MARGIN + columns(low) * ADVANCE + 8;
  const boxes = steps.map((level, i) => rectangle(start + i * 18, top - 10, 18, level, theme)).join("");
  const fill = css(PALETTES[theme].text);
  return `<text x="${MARGIN}" y="${top + 9}" font-size="13" fill="${fill}">${low}</text>${boxes}<text x="${round(start + steps.length * 18 + 8)}" y="${top + 9}" font-size="13" fill="${fill}">${raw(scale.limit)}</text>`;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Extended_Pictographic}\uff00-\uff60]/u;

/** How many columns a monospaced font takes: two for East Asian characters and emoji, none for marks and joiners. */
function columns(text: string): number {
  let count = 0;
  for (const character of characters(text)) count += WIDE.test(character) ? 2 : 1;
  return count;
}

/** Lines of at most `width` columns, cut at spaces, and inside a word only where it alone is longer. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const each of text.split(" ").flatMap((word) => pieces(word, width))) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + 1 + columns(each) <= width) lines[lines.length - 1] = `${last} ${each}`;
    else lines.push(each);
  }
  return lines;
}

function pieces(word: string, width: number): string[] {
  const found = [""];
  for (const character of characters(word)) {
    if (columns(found.at(-1)! + character) > width) found.push("");
    found[found.length - 1] += character;
  }
  return found;
}

const round = (x: number): number => Math.round(x * 100) / 100;
