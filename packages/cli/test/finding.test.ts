/** The first sentence of a comparison of two models. */
import type { EvaluationSummary, ResultRow } from "@vitrail/evaluation";
import { expect, test } from "vitest";
import { findingOf } from "../src/evaluate/finding.js";

const rows: ResultRow[] = Array.from({ length: 20 }, (_, i) => ({
  case: `${i}`,
  group: `${i}`,
  method: "lrp",
  values: { "same-decision": { value: Number(i > 0) }, "top-overlap:k=20": { value: i < 6 ? 0.4 : 0.5 } },
}));
const cell = (metric: string, method: string, baseline = false) => ({
  metric,
  method,
  baseline,
  value: 0.95,
  low: 0.76,
  high: 0.99,
});
const summary = {
  methods: ["lrp", "random"],
  cells: [cell("same-decision", "lrp"), cell("top-overlap:k=20", "lrp"), cell("top-overlap:k=20", "random", true)],
} as unknown as EvaluationSummary;

test("says how many decisions are alike, in how many cases reasons moved, and what was before", () => {
  const finding = findingOf(rows, summary)!;
  expect(finding).toMatchObject({ alike: 0.95, moved: { lrp: 0.3 }, cases: 20 });
  expect(finding.sentence).toBe(
    "95 % of decisions are alike, reasons moved in 30 % (20 cases; share of decisions alike 0.950 [0.760, 0.990]).",
  );
  const before = { ...finding, alike: 1, moved: { lrp: 0.1 } };
  expect(findingOf(rows, summary, before)!.sentence).toContain(
    "95 % of decisions are alike (before 100 %), reasons moved in 30 % (before 10 %) (20 cases",
  );
});

test("says nothing of reasons that were not compared, and nothing at all without decisions", () => {
  const decided = rows.map((row) => ({ ...row, values: { "same-decision": { value: 1 } } }));
  const cells = summary.cells.filter(({ metric }) => metric === "same-decision");
  expect(findingOf(decided, { ...summary, cells })!.sentence).toMatch(/^100 % of decisions are alike \(20 cases/);
  expect(findingOf([], summary)).toBeUndefined();
});
