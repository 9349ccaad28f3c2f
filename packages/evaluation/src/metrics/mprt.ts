/**
 * Two improvements on the parameter randomisation test.
 *
 *   efficient-mprt = (H(R of the random model) - H(R)) / H(R),   all layers random, H the entropy of the map's histogram   (up)
 *   smooth-mprt    = mean over depths of similarity of maps that are means over n noisy inputs                             (down)
 *
 * Layers are made random from the output on. A map that looks at the model becomes noise, whose values spread over more bins.
 */
import { defineMetric } from "../metric.js";
import { columnsOf, type Explainer } from "../model.js";
import type { Random } from "../random.js";
import { mean } from "../rank.js";
import { similarity, similarityOption } from "./similarity.js";

const citation =
  "Hedström et al. Sanity Checks Revisited: An Exploration to Repair the Model Parameter Randomisation Test. 2024.";

/** Entropy of the histogram of values, in nats. */
export function histogramEntropy(values: ArrayLike<number>, bins: number): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  if (!(high > low)) return 0;
  const counts = new Float64Array(bins);
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(bins - 1, Math.floor(((values[i]! - low) / (high - low)) * bins))]! += 1 / values.length;
  }
  return counts.reduce((total, share) => (share > 0 ? total - share * Math.log(share) : total), 0);
}

export const efficientMprt = defineMetric({
  id: "efficient-mprt",
  title: "Efficient MPRT (rise of the map's entropy)",
  citation,
  direction: "up",
  group: "sanity",
  needs: ["randomised-model"],
  options: { bins: { title: "bins of the histogram", default: 100, min: 2, max: 10_000 } },
  async measure({ case: { subject, target }, relevance, options: { bins }, randomised }) {
    let last: Explainer<unknown> | undefined;
    for (let depth = 1; ; depth++) {
      const next = await randomised!(depth);
      if (!next) break;
      last = next;
    }
    const map = await last!.explain(subject.input, target);
    const before = histogramEntropy(relevance, bins);
    return { value: (histogramEntropy(map, bins) - before) / Math.max(before, 1e-9) };
  },
});

export const smoothMprt = defineMetric({
  id: "smooth-mprt",
  title: "Smooth MPRT (similarity of denoised maps)",
  citation,
  direction: "down",
  group: "sanity",
  range: [-1, 1],
  needs: ["randomised-model", "noise", "second-map"],
  options: {
    similarity: similarityOption,
    radius: { title: "noise, as a share of the input's range", default: 0.1, min: 0, max: 1 },
    draws: { title: "noisy inputs per map", default: 10, min: 1, max: 1000 },
  },
  async measure(probe) {
    const { subject, target } = probe.case;
    const { radius, draws } = probe.options;
    const inputs = Array.from({ length: draws }, () => subject.noisy!(radius, probe.random as Random));
    const smooth = async (explainer: Explainer<unknown>) => {
      const maps: Float32Array[] = [];
      for (const input of inputs) maps.push(await explainer.explain(input, target));
      return maps[0]!.map((_, i) => mean(maps.map((map) => map[i]!)));
    };
    const before = await smooth(probe.explainer);
    const y: number[] = [];
    for (let depth = 1; ; depth++) {
      const explainer = await probe.randomised!(depth);
      if (!explainer) break;
      y.push(similarity(probe.options.similarity, before, await smooth(explainer), columnsOf(subject, before)));
    }
    return { value: mean(y), curve: { x: y.map((_, i) => i + 1), y } };
  },
});
