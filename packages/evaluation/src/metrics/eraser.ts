/**
 * Comprehensiveness and sufficiency. r_k: the k % most relevant units, k in {1, 5, 10, 20, 50}, one unit at least.
 *
 *   comprehensiveness = mean over k of p(x) - p(x without r_k)   (up: the reason was needed)
 *   sufficiency       = mean over k of p(x) - p(r_k alone)       (down: the reason was enough)
 */
import { defineMetric, type Measurement, type Options, type Probe } from "../metric.js";
import { descending, mean } from "../rank.js";
import { complement, fillOption, inUnits, mark, removed, score, unitOption } from "../removal.js";

const options = { fill: fillOption("mean"), unit: unitOption } as const satisfies Options;
const shares = [0.01, 0.05, 0.1, 0.2, 0.5];

async function erase(probe: Probe<typeof options>, keep: boolean): Promise<Measurement> {
  const { subject, scores } = inUnits(probe, probe.options.unit);
  const order = descending(scores, probe.random);
  const tops = shares.map((share) => mark(order, Math.max(1, Math.round(share * subject.units))));
  const answers = await removed(probe, subject, keep ? tops.map(complement) : tops, probe.options.fill);
  const y = answers.map((answer) => score(probe, answer, "probability"));
  const before = score(probe, await probe.logits(), "probability");
  return { value: mean(y.map((after) => before - after)), curve: { x: shares, y } };
}

const citation = "DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.";

export const comprehensiveness = defineMetric({
  id: "comprehensiveness",
  title: "Comprehensiveness",
  citation,
  direction: "up",
  group: "faithfulness",
  needs: ["model"],
  options,
  measure: (probe) => erase(probe, false),
});

export const sufficiency = defineMetric({
  id: "sufficiency",
  title: "Sufficiency",
  citation,
  direction: "down",
  group: "faithfulness",
  needs: ["model"],
  options,
  measure: (probe) => erase(probe, true),
});
