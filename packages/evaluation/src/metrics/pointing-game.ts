/**
 * Pointing game: does the highest point lie on the object, or within `tolerance` pixels of it?
 *
 *   1 where it does, 0 where not; several equal maxima count by the share of them that hit.
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";

export function pointingGame(scores: ArrayLike<number>, truth: Uint8Array, columns: number, tolerance = 0): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) best = Math.max(best, scores[i]!);
  let maxima = 0;
  let hits = 0;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] !== best) continue;
    maxima++;
    if (near(truth, columns, i, tolerance)) hits++;
  }
  return maxima > 0 ? hits / maxima : 0;
}

function near(truth: Uint8Array, columns: number, at: number, tolerance: number): boolean {
  if (tolerance === 0) return truth[at] === 1;
  const row = Math.floor(at / columns);
  const column = at % columns;
  const rows = truth.length / columns;
  const reach = Math.floor(tolerance);
  for (let y = Math.max(0, row - reach); y <= Math.min(rows - 1, row + reach); y++) {
    for (let x = Math.max(0, column - reach); x <= Math.min(columns - 1, column + reach); x++) {
      if (truth[y * columns + x] && Math.hypot(y - row, x - column) <= tolerance) return true;
    }
  }
  return false;
}

export const pointingGameMetric = defineMetric({
  id: "pointing-game",
  title: "Pointing game",
  citation: "Zhang et al. Top-down Neural Attention by Excitation Backprop. IJCV 2018.",
  direction: "up",
  hits: true,
  group: "localisation",
  needs: ["truth"],
  options: { tolerance: { title: "pixels beside the object that still count", default: 0, min: 0, max: 1000 } },
  caveat: "a blob in the centre scores well wherever objects are centred: read it beside the centre row",
  measure(probe) {
    const { scores, truth, columns } = locate(probe);
    return { value: pointingGame(scores, truth, columns, probe.options.tolerance) };
  },
});
