/**
 * What one map costs; never part of a seed's promise.
 *
 *   time   = wall time from the input to the map, the model being open
 *   memory = peak resident memory of a process that opens the model and makes one map, all of the process counted
 */
import { defineMetric } from "../metric.js";

const common = {
  citation: "measured by the runner",
  direction: "down",
  group: "cost",
  options: {},
} as const;

export const time = defineMetric({
  ...common,
  id: "time",
  title: "Time per map (ms)",
  needs: [],
  measure: ({ milliseconds }) => ({ value: milliseconds ?? Number.NaN }),
});

export const memory = defineMetric({
  ...common,
  id: "memory",
  title: "Memory of a process that makes one map (MB)",
  needs: ["memory-meter"],
  measure: async ({ explainer, case: { subject } }) => ({ value: (await explainer.bytes!(subject.input)) / 1e6 }),
});
