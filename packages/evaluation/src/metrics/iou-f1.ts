/**
 * ERASER's discrete rationale: the k % most relevant tokens, neighbours joined to spans.
 *
 *   IOU-F1 = F1 of predicted spans that match a gold span with an intersection over union of 0.5 or more
 *
 * Precision counts predicted spans that match, recall gold spans that are matched. The token F1 of the same rationale is `token-f1-at`.
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";
import { descending } from "../rank.js";

type Span = readonly [start: number, end: number];

/** Runs of marks, as half-open ranges. */
export function spansOf(marks: ArrayLike<number>): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < marks.length; i++) {
    if (!marks[i]) continue;
    const start = i;
    while (i < marks.length && marks[i]) i++;
    spans.push([start, i]);
  }
  return spans;
}

const overlap = ([a, b]: Span, [c, d]: Span): number => {
  const both = Math.max(0, Math.min(b, d) - Math.max(a, c));
  return both / (b - a + (d - c) - both);
};

export function iouF1(predicted: readonly Span[], gold: readonly Span[], threshold = 0.5): number {
  const matches = (own: readonly Span[], other: readonly Span[]) =>
    own.filter((span) => other.some((each) => overlap(span, each) >= threshold)).length / Math.max(1, own.length);
  const [precision, recall] = [matches(predicted, gold), matches(gold, predicted)];
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

export const iouF1Metric = defineMetric({
  id: "iou-f1",
  title: "IOU-F1 of the k % most relevant tokens as spans",
  citation: "DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.",
  direction: "up",
  group: "localisation",
  range: [0, 1],
  needs: ["truth", "text"],
  options: { k: { title: "share of tokens, in percent", default: 20, min: 0.1, max: 100 } },
  measure(probe) {
    const { scores, truth } = locate(probe);
    const k = Math.max(1, Math.round((probe.options.k / 100) * scores.length));
    const chosen = new Uint8Array(scores.length);
    for (const token of descending(scores, probe.random).subarray(0, k)) chosen[token] = 1;
    return { value: iouF1(spansOf(chosen), spansOf(truth)) };
  },
});
