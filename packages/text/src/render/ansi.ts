import { raw, share, signed, step } from "../scale.js";
import type { TextView } from "../view.js";
import { background, cube, ink, type Theme } from "./color.js";
import { flow, heading } from "./flow.js";

/** What the terminal can show. `none` writes the values beside the words instead. */
export type AnsiColors = "24bit" | "256" | "none";

export interface AnsiOptions {
  readonly colors?: AnsiColors;
  readonly theme?: Theme;
}

/**
 * The text for a terminal: coloured backgrounds, positive words bold, negative ones underlined, special tokens dim in angle
 * brackets. Without colours, `word[+0.83]`. Control characters of the text itself are shown as symbols and never sent to the terminal.
 */
export function toAnsi(view: TextView, options: AnsiOptions = {}): string {
  const { colors = "24bit", theme = "dark" } = options;
  const title = heading(view);
  const plain = colors === "none";
  const body = flow(view).map(({ unit, text }) => {
    if (unit === undefined) return safe(text);
    const { special, value } = view.units[unit]!;
    if (special) return plain ? `<${safe(text)}>` : `\x1b[2m<${safe(text)}>\x1b[22m`;
    const level = step(value, view.scale);
    if (level === 0) return safe(text);
    if (plain) return `${safe(text)}[${signed(share(value, view.scale))}]`;
    return paint(safe(text), level, colors, theme);
  });
  const low = view.scale.signed ? `−${raw(view.scale.limit)}` : "0";
  const legend = plain
    ? `scale: 1.00 = ${raw(view.scale.limit)}`
    : `${low} ${bar(view.scale.signed, colors, theme)} ${raw(view.scale.limit)}  bold +${view.scale.signed ? ", underlined −" : ""}`;
  return [
    ...(title ? [safe(title), ""] : []),
    body.join(""),
    "",
    legend,
    safe(view.summary),
    ...view.notes.map(safe),
    "",
  ].join("\n");
}

function paint(text: string, level: number, colors: "24bit" | "256", theme: Theme): string {
  const exact = background(level, theme);
  const mark = level > 0 ? "1" : "4";
  const unmark = level > 0 ? "22" : "24";
  const { index, rgb } = cube(exact);
  const [back, fore] =
    colors === "24bit"
      ? [`48;2;${exact.join(";")}`, `38;2;${ink(exact).join(";")}`]
      : [`48;5;${index}`, `38;5;${cube(ink(rgb)).index}`];
  // Colours end at every line break, so that they do not run to the edge of the window.
  return text
    .split("\n")
    .map((line) => (line ? `\x1b[${mark};${fore};${back}m${line}\x1b[${unmark};39;49m` : ""))
    .join("\n");
}

function bar(signed: boolean, colors: "24bit" | "256", theme: Theme): string {
  const levels = signed ? [-10, -8, -6, -4, -2, 2, 4, 6, 8, 10] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  return levels.map((level) => paint(" ", level, colors, theme)).join("");
}

/** Control characters as their symbols (U+2400 ...), so that a text cannot drive the terminal; tabs and line breaks stay. */
const safe = (text: string): string =>
  text.replace(/(?![\t\n])\p{Cc}/gu, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "␡";
  });
