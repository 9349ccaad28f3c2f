/**
 * Non-sensitivity: units to which the map gives nothing are those without which the output stays.
 *
 *   share of units i with  (|R_i| < e max |R|)  not equal to  (|f(x) - f(x without i)| < e |f(x)|),   e the tolerance
 *
 * The authors count them and compare with 0; here both sides are in shares of their largest, for float models give nothing exactly 0.
 */
import { defineRemoval, fillOption, mark, scoreOption, unitOption } from "../removal.js";

export const nonSensitivity = defineRemoval({
  id: "non-sensitivity",
  title: "Non-sensitivity (share of units on which map and model disagree)",
  citation: "Nguyen, Rodriguez Martinez. On Quantitative Aspects of Model Interpretability. 2020.",
  direction: "down",
  range: [0, 1],
  options: {
    score: scoreOption,
    fill: fillOption("mean"),
    unit: unitOption,
    tolerance: { title: "what counts as nothing, as a share", default: 0.01, min: 0, max: 1 },
  },
  async measure({ options: { score, tolerance } }, { units, scores, losses, before }) {
    const lost = await losses(
      Array.from({ length: units }, (_, unit) => mark([unit], 1, units)),
      score,
    );
    return { value: disagreement(scores, lost, await before(score), tolerance) };
  },
});

export function disagreement(
  scores: ArrayLike<number>,
  lost: readonly number[],
  whole: number,
  tolerance: number,
): number {
  let top = 0;
  for (let i = 0; i < scores.length; i++) top = Math.max(top, Math.abs(scores[i]!));
  const differ = lost.filter((loss, unit) => {
    const silent = Math.abs(scores[unit]!) <= tolerance * top;
    const idle = Math.abs(loss) <= tolerance * Math.abs(whole);
    return silent !== idle;
  });
  return differ.length / lost.length;
}
