/** Samples behind the figures: picture under map, or words with their relevance. */
import type { Extreme } from "../runner/extremes.js";
import { figure } from "../runner/table.js";
import { html, type Markup } from "./markup.js";

export interface GalleryItem extends Extreme {
  /** What a reader sees and hears: "red triangle in scene 4". */
  readonly title: string;
  /** Picture and map of one shape, as data URLs (`data:image/...`). */
  readonly picture?: { readonly image: string; readonly map: string; readonly width: number; readonly height: number };
  readonly words?: readonly Word[];
  readonly facts?: Readonly<Record<string, string | number>>;
}

export interface Word {
  readonly text: string;
  readonly relevance: number;
  /** Whether the truth marks it. */
  readonly gold?: boolean;
}

export function gallery(items: readonly GalleryItem[]): Markup {
  if (items.length === 0) return html``;
  const choices = (key: "method" | "metric" | "kind") => [...new Set(items.map((item) => item[key]))];
  const select = (key: "method" | "metric" | "kind", label: string) => html`<label>${label}
<select name="${key}"><option value="">all</option>${choices(key).map((value) => html`<option>${value}</option>`)}</select></label>`;
  const opacity =
    items.some(({ picture }) => picture) &&
    html`<label>opacity of the map
<input type="range" min="0" max="100" value="65" aria-valuetext="65 percent"></label>`;
  return html`<section aria-labelledby="samples"><h2 id="samples">Best and worst samples</h2>
<div class="controls" hidden>${select("method", "method")}${select("metric", "metric")}${select("kind", "which")}${opacity}<span id="shown" role="status"></span></div>
<div class="gallery">${items.map(card)}</div></section>`;
}

function card(item: GalleryItem): Markup {
  const { title, method, metric, kind, value, facts = {} } = item;
  return html`<figure data-method="${method}" data-metric="${metric}" data-kind="${kind}">
${item.picture && stack(item.picture, title)}${item.words && words(item.words)}
<figcaption><span class="kind ${kind}">${kind}</span>: ${title}<br>${metric} = ${figure(value)}, ${method}
${Object.entries(facts).map(([key, fact]) => html`<br>${key}: ${fact}`)}</figcaption></figure>`;
}

const isPicture = (url: string): boolean => /^data:image\/(png|jpeg|webp|svg\+xml)[;,]/.test(url);

function stack({ image, map, width, height }: NonNullable<GalleryItem["picture"]>, title: string): Markup {
  if (!isPicture(image) || !isPicture(map)) throw new RangeError("gallery pictures must be data:image URLs");
  return html`<div class="stack" style="--shape:${width}/${height}"><img src="${image}" alt="${title}"><img class="map" src="${map}" alt=""></div>`;
}

/** Sign by colour and by a wavy line, strength by tint, gold by an outline; figures for screen readers follow in a list. */
function words(list: readonly Word[]): Markup {
  const most = Math.max(...list.map(({ relevance }) => Math.abs(relevance)), 1e-12);
  const spans = list.map(({ text, relevance, gold }) => {
    const weight = (0.7 * Math.abs(relevance)) / most;
    const classes = `${relevance < 0 ? "against" : "for"}${gold ? " gold" : ""}`;
    return html`<span class="${classes}" style="--weight:${weight.toFixed(2)}" title="${relevance.toPrecision(3)}">${text}</span> `;
  });
  const top = [...list].sort((a, b) => b.relevance - a.relevance).slice(0, 3);
  return html`<p class="words">${spans}</p><details><summary>Most relevant words</summary>${top.map(({ text, relevance }) => `${text} (${figure(relevance / most)})`).join(", ")}</details>`;
}
