/** The main table: methods down, metrics across; interval, distance to chance and the best value said in words and in type. */
import type { Cell, EvaluationSummary } from "../runner/summary.js";
import { bestMethods, cellOf, figure } from "../runner/table.js";
import { html, type Markup } from "./markup.js";

export function summaryTable(summary: EvaluationSummary): Markup {
  const best = new Map(summary.metrics.map(({ name, direction }) => [name, bestMethods(summary, name, direction)]));
  const head = summary.metrics.map(
    ({ name, direction }) =>
      html`<th scope="col">${name}<span class="way">${direction === "up" ? "higher is better ↑" : "lower is better ↓"}</span></th>`,
  );
  const rows = summary.methods.map((method) => {
    const cells = summary.metrics.map(({ name }) =>
      tableCell(cellOf(summary, name, method), best.get(name)!.includes(method)),
    );
    const baseline = summary.cells.some((cell) => cell.method === method && cell.baseline);
    return html`<tr class="${baseline ? "baseline" : "method"}"><th scope="row">${method}${baseline && " (baseline)"}</th>${cells}</tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of figures"><table>
<caption>Figure, 95 % interval over pictures or texts, and the paired differences to the random map and to the best method; what is said of differences holds after Holm’s correction over the table. Underlined: the best methods.</caption>
<thead><tr><th scope="col">method</th>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function tableCell(cell: Cell | undefined, best: boolean): Markup {
  if (!cell) return html`<td>not measured</td>`;
  const { versusRandom: versus, versusBest: behind } = cell;
  const range = Number.isFinite(cell.low) ? `${figure(cell.low)} to ${figure(cell.high)}` : "no interval";
  const sign = (value: number) => `${value > 0 ? "+" : ""}${figure(value)}`;
  const notes = Object.entries(cell.notes).map(
    ([note, count]) => html`<span class="versus">${note} (${count} of ${cell.n})</span>`,
  );
  return html`<td${best && html` class="best"`}><span class="value">${figure(cell.value)}</span>
<span class="range">${range}</span><span class="range">n = ${cell.n}</span>
${versus && html`<span class="versus">${sign(versus.value)} to random:</span><span class="versus">${versus.better ? "better than chance" : "no better than chance"}</span>`}
${behind && html`<span class="versus">${sign(behind.value)} to ${behind.best}:</span><span class="versus">${behind.tied ? "not certainly behind" : "behind"} (p ${behind.pHolm < 0.001 ? "< 0.001" : `= ${figure(behind.pHolm)}`}${Number.isFinite(behind.effect) && `, d = ${figure(behind.effect)}`})</span>`}${notes}</td>`;
}
