/**
 * Comprehensiveness and sufficiency. r_k: the k % most relevant units, k in {1, 5, 10, 20, 50}, one unit at least.
 *
 *   comprehensiveness = mean over k of p(x) - p(x without r_k)   (up: the reason was needed)
 *   sufficiency       = mean over k of p(x) - p(r_k alone)       (down: the reason was enough)
 */
import type { Measurement } from "../metric.js";
import { mean } from "../rank.js";
import { complement, defineRemoval, fillOption, mark, type Removal, unitOption } from "../removal.js";

const shares = [0.01, 0.05, 0.1, 0.2, 0.5];

async function erase({ units, order, without, before }: Removal, keep: boolean): Promise<Measurement> {
  const ranked = order();
  const tops = shares.map((share) => mark(ranked, Math.max(1, Math.round(share * units))));
  const y = await without(keep ? tops.map(complement) : tops, "probability");
  return { value: (await before("probability")) - mean(y), curve: { x: shares, y } };
}

const common = {
  citation: "DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.",
  options: { fill: fillOption("mean"), unit: unitOption },
} as const;

export const comprehensiveness = defineRemoval({
  ...common,
  id: "comprehensiveness",
  title: "Comprehensiveness",
  direction: "up",
  measure: (_probe, removal) => erase(removal, false),
});

export const sufficiency = defineRemoval({
  ...common,
  id: "sufficiency",
  title: "Sufficiency",
  direction: "down",
  measure: (_probe, removal) => erase(removal, true),
});
