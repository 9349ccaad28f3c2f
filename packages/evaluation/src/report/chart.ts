/** Curves as inline SVG: told apart by colour, dash and marker, named in a legend, with a table for those who cannot see them. */
import type { Cell, MetricEntry } from "../runner/summary.js";
import { figure } from "../runner/table.js";
import { html, type Markup } from "./markup.js";

const [width, height] = [420, 250];
const frame = { left: 46, right: 12, top: 10, bottom: 34 };
/** Okabe and Ito's colours, which people of all colour visions can tell apart. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const dashes = ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2"];
/** What the curves of a group of metrics run over. */
const axes: Partial<Record<MetricEntry["group"], string>> = {
  faithfulness: "share of units taken away",
  sanity: "layers made random, from the output down",
  axiom: "block, from the input up",
};

/** At most six steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, wanted = 5): number[] {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export function curveChart(metric: MetricEntry, cells: readonly Cell[]): Markup {
  const curves = cells.flatMap(({ method, curve }) => (curve ? [{ method, ...curve }] : []));
  const xs = curves.flatMap(({ x }) => x);
  const ys = curves.flatMap(({ y }) => y);
  const [x0, x1] = range(xs);
  const [y0, y1] = range(ys);
  const px = (x: number) => frame.left + ((x - x0) / (x1 - x0)) * (width - frame.left - frame.right);
  const py = (y: number) => height - frame.bottom - ((y - y0) / (y1 - y0)) * (height - frame.top - frame.bottom);
  const legend = curves.map(({ method }, i) => {
    const [column, row] = [i % 2, Math.floor(i / 2)];
    const [x, y] = [frame.left + column * 186, height + 12 + row * 16];
    return html`<line x1="${x}" y1="${y - 4}" x2="${x + 22}" y2="${y - 4}" stroke="${colour(i)}" stroke-width="2" stroke-dasharray="${dash(i)}"/><text x="${x + 27}" y="${y}">${method}</text>`;
  });
  const total = height + 16 * Math.ceil(curves.length / 2) + 4;
  const lines = curves.map(({ x, y }, i) => {
    if (x.length === 1) return html`<circle cx="${px(x[0]!)}" cy="${py(y[0]!)}" r="4" fill="${colour(i)}"/>`;
    const points = x.map((value, k) => `${px(value).toFixed(1)},${py(y[k]!).toFixed(1)}`).join(" ");
    return html`<polyline points="${points}" fill="none" stroke="${colour(i)}" stroke-width="2" stroke-dasharray="${dash(i)}"/>`;
  });
  return html`<figure>
<h3>${metric.title}</h3>
<svg viewBox="0 0 ${width} ${total}" role="img" aria-label="${`${metric.title}: mean curve of ${curves.map(({ method }) => method).join(", ")}; the figures stand in the table below`}">
${ticks(y0, y1).map((y) => html`<line class="grid" x1="${frame.left}" x2="${width - frame.right}" y1="${py(y)}" y2="${py(y)}"/><text x="${frame.left - 6}" y="${py(y) + 4}" text-anchor="end">${y}</text>`)}
${ticks(x0, x1).map((x) => html`<text x="${px(x)}" y="${height - frame.bottom + 16}" text-anchor="middle">${x}</text>`)}
<line class="axis" x1="${frame.left}" x2="${width - frame.right}" y1="${height - frame.bottom}" y2="${height - frame.bottom}"/>
<text x="${(frame.left + width - frame.right) / 2}" y="${height - 3}" text-anchor="middle">${axes[metric.group] ?? ""}</text>
${lines}${legend}
</svg>
<details><summary>Figures</summary>${curveTable(curves)}</details>
</figure>`;
}

const colour = (i: number): string => colours[i % colours.length]!;
/** Shifted with every round of colours, so that no two of the first 36 curves look alike. */
const dash = (i: number): string => dashes[(i + Math.floor(i / colours.length)) % dashes.length]!;

function range(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function curveTable(curves: readonly { method: string; x: readonly number[]; y: readonly number[] }[]): Markup {
  const longest = curves.reduce((a, b) => (b.x.length > a.x.length ? b : a));
  const at = ({ x, y }: (typeof curves)[number], value: number): string => {
    const place = x.indexOf(value);
    return place < 0 ? "" : figure(y[place]!);
  };
  return html`<div class="scroll"><table><thead><tr><th scope="col">x</th>${curves.map(({ method }) => html`<th scope="col">${method}</th>`)}</tr></thead>
<tbody>${longest.x.map((value) => html`<tr><th scope="row">${figure(value)}</th>${curves.map((curve) => html`<td>${at(curve, value)}</td>`)}</tr>`)}</tbody></table></div>`;
}
