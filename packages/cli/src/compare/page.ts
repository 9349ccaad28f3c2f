/** A comparison as one page by itself: no network, readable without scripts, on paper and by a screen reader. */
import { html, type Markup } from "@vitrail/evaluation";
import { formatNumber } from "@vitrail/picture";
import { pageScript, pageStyles, scaleOf, toFragment } from "@vitrail/text";
import type { Answer } from "../explain/work.js";
import { isText } from "../input/text-sample.js";
import { sentenceOf } from "../output/picture.js";
import { unitsOf, viewOf } from "../output/text.js";
import { asVitrailError } from "../problem.js";
import type { Agreement } from "./agreement.js";
import { costText } from "./cost.js";
import { absence, type ColumnResult, type ComparedRow, type Comparison } from "./run.js";
import { rowTitle } from "./sheet.js";
import { figure } from "./table.js";

export interface PageTexts {
  readonly title: string;
  readonly model: string;
  readonly provenance: string;
  /** What the table of agreement says, and what was compared. */
  readonly agreement: string;
  readonly units: string;
  /** The contact sheets as PNG. */
  readonly sheets: readonly Uint8Array[];
}

export function comparisonPage(comparison: Comparison, agreements: readonly Agreement[], texts: PageTexts): string {
  const { columns, rows, refusals } = comparison;
  const { title, provenance, units, sheets } = texts;
  const body = html`<main>
<h1>${title}</h1>
<p class="caption">${provenance}</p>
${methodTable(columns)}
${refusals.length > 0 && refused(comparison)}
<h2>Agreement</h2>
<p>${texts.agreement}</p>
<p class="caption">${units}</p>
${columns.length > 1 && agreementTable(columns, agreements)}
${sheets.map(picture)}
${rows.map((row) => section(row, columns, texts))}
<p class="caption">Relevance shows what this model used, not what is true. Methods have units of their own: each has its own scale.</p>
</main>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${html`<title>${title}</title>`.markup}
<style>${pageStyles()}${style}</style>
</head>
<body>
${body.markup}
<script>${pageScript}</script>
</body>
</html>
`;
}

const style = `
main { max-width: 76rem; }
.methods td, .methods th, .agreement td, .agreement th, .values td, .values th { border-bottom: 1px solid var(--muted); vertical-align: top; }
.methods td:last-child, .methods th:last-child { text-align: left; } .methods td:nth-child(4), .methods tbody th { white-space: nowrap; }
.stamp { border: 1.5px solid currentColor; border-radius: 3px; padding: 0 .35em; white-space: nowrap; font-weight: 600; }
.scroll { overflow-x: auto; } .sheet { max-width: 100%; height: auto; background: #fff; }
.agreement td { min-width: 3.5rem; } .agreement td.own { color: var(--muted); }
.column { border-top: 1px solid var(--muted); margin-top: 1rem; } .column h3 { font-size: 1rem; margin: .5rem 0 0; }
caption { text-align: left; color: var(--muted); padding-bottom: .35rem; }
`;

function methodTable(columns: readonly ColumnResult[]): Markup {
  return html`<h2>Methods</h2><div class="scroll"><table class="methods">
<thead><tr><th scope="col">method</th><th scope="col">answers for the class</th><th scope="col">explains</th><th scope="col">cost</th><th scope="col">source</th></tr></thead>
<tbody>${columns.map(
    ({ name, method, cost }) =>
      html`<tr><th scope="row">${name}</th><td>${stamp(method.classSpecific)}</td><td>${method.kind === "input" ? "the input" : "tokens"}</td><td>${cost && costText(cost)}</td><td>${method.citation}</td></tr>`,
  )}</tbody></table></div>
<p class="caption">Cost: an explanation in forwards of the plain model, measured in turns with it on this machine.</p>`;
}

const stamp = (classSpecific: boolean): Markup =>
  classSpecific ? html`class-specific` : html`<span class="stamp">not class-specific</span>`;

function refused({ refusals }: Comparison): Markup {
  return html`<h2>Not compared</h2><ul>${refusals.map(
    ({ method, input, error }) =>
      html`<li><strong>${[method, input].filter((part) => part !== undefined).join(" on ")}</strong><pre>${asVitrailError(error).message}</pre></li>`,
  )}</ul>`;
}

function agreementTable(columns: readonly ColumnResult[], agreements: readonly Agreement[]): Markup {
  const between = (i: number, j: number) => agreements.find(({ a, b }) => a === Math.min(i, j) && b === Math.max(i, j));
  return html`<div class="scroll"><table class="agreement"><caption>rank correlation above the diagonal, top overlap below</caption>
<thead><tr><th scope="col">method</th>${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${columns.map(
    ({ name }, i) =>
      html`<tr><th scope="row">${name}</th>${columns.map((_, j) => {
        const pair = between(i, j);
        if (i === j) return html`<td class="own">–</td>`;
        return html`<td>${figure(j > i ? pair?.spearman : pair?.overlap)}</td>`;
      })}</tr>`,
  )}</tbody></table></div>`;
}

const picture = (png: Uint8Array): Markup =>
  html`<h2>Maps</h2><div class="scroll"><img class="sheet" src="data:image/png;base64,${Buffer.from(png).toString("base64")}" alt="Contact sheet: a row for each picture and target, a column for each method; the values stand in the tables below."></div>`;

/** Texts are shown here; pictures are on the sheet, and here in words and numbers. */
function section(row: ComparedRow, columns: readonly ColumnResult[], { model }: PageTexts): Markup {
  const { sample, answers } = row;
  const head = html`<h2>${rowTitle(row)}</h2>`;
  if (!isText(sample)) return html`${head}${values(row, columns)}`;
  return html`${head}${columns.map((column, index) => {
    const answer = answers[index];
    const what = answer ? textOf(answer, model, column.name) : html`<p>${absence(column, row)}</p>`;
    const cost = column.cost ? ` · ${costText(column.cost)}` : "";
    return html`<div class="column"><h3>${column.name}</h3><p class="caption">${stamp(column.method.classSpecific)}${cost}</p>${what}</div>`;
  })}`;
}

/** Every method on the scale of its own largest word. */
function textOf(answer: Answer, model: string, method: string): Markup {
  return { markup: toFragment(viewOf(answer, { model, method }, scaleOf(unitsOf(answer)))) };
}

function values(row: ComparedRow, columns: readonly ColumnResult[]): Markup {
  const { answers, common } = row;
  const extreme = (list: ArrayLike<number>, pick: (a: number, b: number) => number) =>
    formatNumber(Array.from(list).reduce((a, b) => pick(a, b)));
  return html`<div class="scroll"><table class="values">
<thead><tr><th scope="col">method</th><th scope="col">smallest</th><th scope="col">largest</th><th scope="col">in words</th></tr></thead>
<tbody>${columns.map((column, index) => {
    const { name } = column;
    const [answer, map] = [answers[index], common[index]];
    if (!answer || !map) return html`<tr><th scope="row">${name}</th><td colspan="3">${absence(column, row)}</td></tr>`;
    return html`<tr><th scope="row">${name}</th><td>${extreme(map.values, Math.min)}</td><td>${extreme(map.values, Math.max)}</td><td>${sentenceOf(answer)}</td></tr>`;
  })}</tbody></table></div>`;
}
