/**
 * Robustness under small uniform noise (radius r times the input's range), n draws.
 *
 *   max-sensitivity = max over draws of ||R(x + noise) - R(x)|| / ||R(x)||
 *   noise-agreement = mean over draws of Spearman( R(x + noise), R(x) )
 */
import { defineMetric, type Options, type Probe } from "../metric.js";
import { mean, spearman } from "../rank.js";

const options = {
  radius: { title: "noise, as a share of the input's range", default: 0.02, min: 0, max: 1 },
  draws: { title: "draws", default: 10, min: 1, max: 1000 },
} as const satisfies Options;

async function disturbed(probe: Probe<typeof options>): Promise<Float32Array[]> {
  const { subject, target } = probe.case;
  const maps: Float32Array[] = [];
  for (let i = 0; i < probe.options.draws; i++) {
    maps.push(await probe.explainer.explain(subject.noisy!(probe.options.radius, probe.random), target));
  }
  return maps;
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((total, value) => total + value * value, 0));

const common = { group: "robustness", needs: ["noise", "second-map"], options } as const;

export const maxSensitivity = defineMetric({
  ...common,
  id: "max-sensitivity",
  title: "Max-sensitivity",
  citation: "Yeh et al. On the (In)fidelity and Sensitivity of Explanations. NeurIPS 2019.",
  direction: "down",
  async measure(probe) {
    const changes = (await disturbed(probe)).map((map) => norm(map.map((value, i) => value - probe.relevance[i]!)));
    return { value: Math.max(...changes) / (norm(probe.relevance) || 1) };
  },
});

export const noiseAgreement = defineMetric({
  ...common,
  id: "noise-agreement",
  title: "Rank agreement under noise",
  range: [-1, 1],
  citation: "Alvarez-Melis, Jaakkola. On the Robustness of Interpretability Methods. WHI 2018.",
  direction: "up",
  async measure(probe) {
    return { value: mean((await disturbed(probe)).map((map) => spearman(map, probe.relevance))) };
  },
});
