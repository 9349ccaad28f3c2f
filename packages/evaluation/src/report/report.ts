/** One HTML file without any network: header, warnings, table, curves, samples, data. Readable without scripts, in print, and aloud. */
import type { BrokenRow } from "../data/loaded.js";
import { distinctFailures, type EvaluationSummary, sayFew, sayShortened } from "../runner/summary.js";
import { curveChart } from "./chart.js";
import { type GalleryItem, gallery } from "./gallery.js";
import { embed, html, type Markup } from "./markup.js";
import { script } from "./script.js";
import { style } from "./style.js";
import { summaryTable } from "./summary-table.js";

export interface ReportOptions {
  readonly title?: string;
  /** The finding, in one sentence. */
  readonly lead?: string;
  readonly gallery?: readonly GalleryItem[];
  /** Rows of the data that were left out. */
  readonly broken?: readonly BrokenRow[];
}

export function report(
  summary: EvaluationSummary,
  { title = "How well do the maps explain the model?", lead, gallery: items = [], broken = [] }: ReportOptions = {},
): string {
  const judged = summary.methods.filter((method) =>
    summary.cells.some((cell) => cell.method === method && !cell.baseline),
  );
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${title}</title><style>${{ markup: style }}</style></head>
<body><header><h1>${title}</h1>
${lead && html`<p class="lead"><strong>${lead}</strong></p>`}
<p class="lead">${judged.length} ${judged.length === 1 ? "method" : "methods"}, ${summary.metrics.length} metrics, ${summary.cases} cases.</p>
<dl class="facts">${Object.entries(summary.header).map(([key, value]) => html`<dt>${key}</dt><dd><code>${value}</code></dd>`)}</dl></header>
<main>${warnings(summary, broken)}
<h2>Figures</h2>${summaryTable(summary)}
${charts(summary)}${gallery(items)}${definitions(summary)}</main>
<script type="application/json" id="vitrail-evaluation">${embed(summary)}</script>
<script>${{ markup: script }}</script></body></html>
`.markup;
}

function warnings(summary: EvaluationSummary, broken: readonly BrokenRow[]): Markup {
  const { metrics, failures, missing } = summary;
  const blind = metrics.flatMap(({ name, warning }) =>
    warning ? [html`<p class="warning"><strong>${name}</strong> ${warning}.</p>`] : [],
  );
  const cases = new Set(failures.map((failure) => failure.case)).size;
  const failed =
    failures.length > 0 &&
    html`<div class="warning"><strong>${failures.length} measurements failed</strong> on ${cases} cases.
<details><summary>Which and why</summary><ul>${distinctFailures(summary).map((text) => html`<li>${text}</li>`)}</ul></details></div>`;
  const shortened = sayShortened(summary);
  const few = sayFew(summary);
  const rows = broken.map(
    ({ file, at, reason }) => html`<li>${at === undefined ? file : `${file}:${at}`}: ${reason}</li>`,
  );
  const bad =
    rows.length > 0 &&
    html`<div class="warning"><strong>Broken rows of the data</strong> were left out: ${rows.length}.
<details><summary>Which and why</summary><ul>${rows}</ul></details></div>`;
  const left = missing.map(({ metric, needs, count }) => html`<li>${metric}: ${count} times, needs ${needs}</li>`);
  const omitted =
    left.length > 0 &&
    html`<details class="warning"><summary>Measurements that were left out</summary><ul>${left}</ul></details>`;
  return html`${few && html`<p class="warning">${few}.</p>`}${blind}${shortened && html`<p class="warning">${shortened}.</p>`}${bad}${failed}${omitted}`;
}

function charts(summary: EvaluationSummary): Markup {
  const drawn = summary.metrics.flatMap((metric) => {
    const cells = summary.cells.filter((cell) => cell.metric === metric.name && cell.curve && cell.method !== "area");
    return cells.length > 0 ? [curveChart(metric, cells)] : [];
  });
  return html`${drawn.length > 0 && html`<h2>Curves</h2><div class="charts">${drawn}</div>`}`;
}

function definitions({ metrics }: EvaluationSummary): Markup {
  const entries = metrics.map(({ name, title, citation, caveat, options }) => {
    const settings = Object.entries(options).map(([key, value]) => `${key} = ${value}`);
    return html`<dt><code>${name}</code></dt><dd>${title}. ${citation}${settings.length > 0 && ` Options: ${settings.join(", ")}.`}${caveat && ` Caution: ${caveat}.`}</dd>`;
  });
  return html`<h2>What was measured</h2><dl class="facts">${entries}</dl>
<p class="lead">Relevance shows what this model used, not what is true. Rows named baseline know nothing of the model: random is noise, centre a blob in the middle, area the same value everywhere.</p>`;
}
