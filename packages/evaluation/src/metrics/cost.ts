/** What one map costs: wall time of the explanation, and peak memory where the runtime can say it. Never part of a seed's promise. */
import { defineMetric } from "../metric.js";

const common = {
  citation: "measured by the runner",
  direction: "down",
  group: "cost",
  needs: [],
  options: {},
} as const;

export const time = defineMetric({
  ...common,
  id: "time",
  title: "Time per map (ms)",
  measure: ({ milliseconds }) => ({ value: milliseconds ?? Number.NaN }),
});

export const memory = defineMetric({
  ...common,
  id: "memory",
  title: "Memory per map (MB)",
  measure: ({ explainer }) => ({ value: (explainer.bytes?.() ?? Number.NaN) / 1e6 }),
});
