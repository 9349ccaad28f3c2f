/** The critical-difference plot: methods at their mean ranks, bars over those that are not told apart. One SVG, black on white. */
import type { MeanRanks } from "../runner/mean-rank.js";
import { html } from "./markup.js";

/** Runs of methods whose mean ranks lie within the critical difference, those inside a longer run left out. */
export function cliques({
  methods,
  criticalDifference,
}: Pick<MeanRanks, "methods" | "criticalDifference">): [number, number][] {
  const runs = methods.map(({ rank }, from): [number, number] => {
    let to = from;
    while (to + 1 < methods.length && methods[to + 1]!.rank - rank <= criticalDifference) to++;
    return [from, to];
  });
  return runs.filter(([from, to], i) => to > from && !runs.slice(0, i).some((run) => run[0] <= from && run[1] >= to));
}

export function criticalDifferenceChart(found: MeanRanks): string {
  const { methods, criticalDifference, over } = found;
  const [width, left, right, top] = [900, 270, 270, 66];
  const count = methods.length;
  const x = (rank: number) => (left + ((rank - 1) / Math.max(1, count - 1)) * (width - left - right)).toFixed(1);
  const bars = cliques(found);
  const base = top + 14 + 8 * bars.length;
  const half = Math.ceil(count / 2);
  const height = base + 22 * half + 16;
  const axis = Array.from({ length: count }, (_, i) => i + 1).map(
    (rank) =>
      html`<line x1="${x(rank)}" y1="${top - 6}" x2="${x(rank)}" y2="${top}" stroke="#000"/><text x="${x(rank)}" y="${top - 10}" text-anchor="middle">${rank}</text>`,
  );
  const names = methods.map(({ method, rank }, i) => {
    const near = i < half;
    const y = base + 22 * (near ? i : count - 1 - i) + 8;
    const end = near ? left - 12 : width - right + 12;
    return html`<polyline points="${x(rank)},${top} ${x(rank)},${y} ${end},${y}" fill="none" stroke="#000"/>
<text x="${near ? end - 4 : end + 4}" y="${y + 4}" text-anchor="${near ? "end" : "start"}">${method} (${rank.toFixed(2)})</text>`;
  });
  const lines = bars.map(
    ([from, to], i) =>
      html`<line x1="${Number(x(methods[from]!.rank)) - 4}" y1="${top + 8 + 8 * i}" x2="${Number(x(methods[to]!.rank)) + 4}" y2="${top + 8 + 8 * i}" stroke="#000" stroke-width="4"/>`,
  );
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13" role="img" aria-label="Mean ranks of ${count} methods over ${over.length} columns; bars join methods that are not told apart">
<rect width="100%" height="100%" fill="#fff"/>
<line x1="${x(1)}" y1="24" x2="${x(1 + Math.min(criticalDifference, count - 1))}" y2="24" stroke="#000" stroke-width="2"/>
<text x="${x(1)}" y="16">critical difference ${criticalDifference.toFixed(2)}</text>
<line x1="${x(1)}" y1="${top}" x2="${x(count)}" y2="${top}" stroke="#000"/>${axis}
${lines}${names}
</svg>
`.markup;
}
