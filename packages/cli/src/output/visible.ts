/** Characters that would drive a terminal or reorder what it shows, made visible. */

/** Controls but for tab and line break, and what changes the direction of everything after it. */
const HIDDEN = /(?![\t\n])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;

/** A terminal's own colours (select graphic rendition); nothing that moves, clears or names anything. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const COLOUR = /(\x1b\[[\d;]*m)/;

const symbol = (character: string): string => {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "␡" : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
};

/** Text for a terminal, whoever wrote it. */
export const visible = (text: string): string => text.replace(HIDDEN, symbol);

/** The same, where colours are wanted. */
export const visibleInColour = (text: string): string =>
  text
    .split(COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join("");

/** JSON whose strings hold no such character either; it says the same. */
export const escaped = (json: string): string =>
  json.replace(HIDDEN, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`);
