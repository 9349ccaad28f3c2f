import { percent, ranks, raw, share, signed, step } from "../scale.js";
import type { TextView } from "../view.js";
import { flow, heading, rightToLeft } from "./flow.js";
import { SCRIPT, styles } from "./html-parts.js";

export interface HtmlOptions {
  readonly title?: string;
  /** A line under the title: the command, versions, a date. */
  readonly caption?: string;
  /** A picture above the texts (a data address, so that the page stays one file), and what it shows in words. */
  readonly picture?: { readonly source: string; readonly description: string };
  /** Language of the texts, for hyphenation and screen readers. */
  readonly lang?: string;
}

/**
 * A page by itself: no network, readable with scripts off, on paper, in dark and light, and by a screen reader. The
 * text is text (it can be selected and searched); every unit shows its value on hover and on focus.
 */
export function toHtml(views: TextView | readonly TextView[], options: HtmlOptions = {}): string {
  const list = "units" in views ? [views] : views;
  const { title: name = defaultTitle(list), caption, picture, lang = "en" } = options;
  return `<!doctype html>
<html lang="${markup(lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${markup(name)}</title>
<style>${styles()}</style>
</head>
<body>
<main>
<h1>${markup(name)}</h1>
${caption ? `<p class="caption">${markup(caption)}</p>\n` : ""}${picture ? `<img src="${markup(picture.source)}" alt="${markup(picture.description)}">\n` : ""}${list.map(article).join("\n")}
<p class="caption">Relevance shows what this model used, not what is true.</p>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function defaultTitle(list: readonly TextView[]): string {
  const label = list[0]?.target?.label;
  if (list.length !== 1) return `${list.length} explained texts`;
  return label ? `Relevance for ${label}` : "Relevance";
}

function article(view: TextView, index: number): string {
  const name = `text-${index}`;
  return `<article aria-labelledby="${name}">
${title(view, name)}
${toFragment(view)}
</article>`;
}

/** What stands between the heading of a text and the next: summary, coloured text, legend, notes, values. For pages with {@link styles}. */
export function toFragment(view: TextView): string {
  const places = ranks(view.units);
  const count = view.units.filter((unit) => !unit.special).length;
  const text = flow(view)
    .map((stretch) =>
      stretch.unit === undefined ? markup(stretch.text) : chip(view, stretch.unit, stretch.text, places, count),
    )
    .join("");
  const notes = view.notes.map((note) => `<li>${markup(note)}</li>`).join("");
  return `<p class="summary">${markup(view.summary)}</p>
<div class="text" dir="${rightToLeft(view.texts[0]) ? "rtl" : "ltr"}" role="list" aria-label="${markup(`${count} ${view.unit}s with their relevance`)}">${text}</div>
${legend(view)}
${notes ? `<ul class="notes">${notes}</ul>\n` : ""}<details><summary>All values</summary>
${table(view, places)}
</details>`;
}

function title({ target, method, model }: TextView, id: string): string {
  const sure = target?.probability === undefined ? "" : ` <span class="value">${percent(target.probability)}</span>`;
  const how = heading({ method, model });
  return `<h2 id="${id}">${target ? markup(target.label) + sure : "Relevance"}</h2>${how && `\n<p class="caption">${markup(how)}</p>`}`;
}

function chip(
  view: TextView,
  index: number,
  text: string,
  places: readonly (number | undefined)[],
  count: number,
): string {
  const unit = view.units[index]!;
  if (unit.special) {
    const label = `${unit.text}, special token, relevance ${spoken(unit.value)}, not ranked`;
    return `<span class="u s" role="listitem" tabindex="0" aria-label="${markup(label)}" data-v="special ${raw(unit.value)}">${markup(text)}</span>`;
  }
  const part = share(unit.value, view.scale);
  const level = step(unit.value, view.scale);
  const rank = `rank ${places[index]} of ${count}`;
  const known = unit.unknown ? ", unknown to the model" : "";
  const label = `${unit.text}${known}, relevance ${spoken(Number(part.toFixed(2)))}, ${rank}`;
  const kind = level > 0 ? ` p${level}` : level < 0 ? ` n${-level}` : "";
  return `<span class="u${kind}" role="listitem" tabindex="0" aria-label="${markup(label)}" data-v="${signed(part)} (${raw(unit.value)}), ${rank}${known}">${markup(text)}</span>`;
}

function legend({ scale, unit, combine }: TextView): string {
  const steps = scale.signed ? [-10, -8, -6, -4, -2, 0, 2, 4, 6, 8, 10] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const boxes = steps.map(
    (level) =>
      `<span class="u ${level < 0 ? `n${-level}` : `p${level}`}">${level === 0 ? "0" : level < 0 ? "−" : "+"}</span>`,
  );
  const ends = [scale.signed ? `−${raw(scale.limit)}` : "0", raw(scale.limit)];
  const marks = scale.signed
    ? "Orange with a solid line speaks for it, blue with a dashed line against it."
    : "The stronger the orange, the more it speaks for it.";
  const how =
    unit === "token" ? "" : ` A ${unit}'s value is the ${combine === "max" ? "largest" : "sum"} of its tokens'.`;
  return `<div class="legend"><span class="scale" role="img" aria-label="scale from ${ends[0]} to ${ends[1]}">${ends[0]} ${boxes.join("")} ${ends[1]}</span> <span>${marks}${how}</span></div>`;
}

function table({ units, unit, scale }: TextView, places: readonly (number | undefined)[]): string {
  const rows = units.map((each, i) => {
    const part = each.special ? "special" : signed(share(each.value, scale));
    return `<tr><th scope="row" dir="auto">${markup(each.text)}</th><td>${part}</td><td>${raw(each.value)}</td><td>${places[i] ?? ""}</td><td>${each.segment === null ? "" : `${each.start}–${each.end}`}</td></tr>`;
  });
  return `<table><thead><tr><th scope="col">${unit}</th><th scope="col">share</th><th scope="col">relevance</th><th scope="col">rank</th><th scope="col">characters</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>`;
}

const spoken = (value: number): string => (value < 0 ? `minus ${raw(-value)}` : raw(value));

/** Text for HTML and XML; what neither allows (controls, lone surrogates) becomes U+FFFD. */
export const markup = (text: string): string =>
  text
    .replace(/(?![\t\n\r])\p{Cc}|[\p{Cs}\ufffe\uffff]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
