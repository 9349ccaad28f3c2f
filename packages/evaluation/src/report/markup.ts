/** Text that is safe inside HTML and attributes. */
export const escapeText = (text: unknown): string =>
  String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Already safe markup, so that templates do not escape it twice. */
export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | undefined | false | readonly Part[];

const render = (part: Part): string => {
  if (part === undefined || part === false) return "";
  if (Array.isArray(part)) return part.map(render).join("");
  return typeof part === "object" && "markup" in part ? part.markup : escapeText(part);
};

/** A template whose holes are escaped unless they are markup themselves. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: strings.reduce((all, text, i) => all + text + (i < parts.length ? render(parts[i]) : ""), ""),
});

/** JSON that can stand inside a script element. */
export const embed = (value: unknown): Markup => ({ markup: JSON.stringify(value).replace(/</g, "\\u003c") });
