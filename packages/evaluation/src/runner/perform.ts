/** Does the work of one job where the model is: in this thread, or in a worker that sends the rows back. */
import { baselineExplainer, baselines } from "../baseline.js";
import { type Bench, caseContext, measure } from "../measure.js";
import type { Case, Explainer } from "../model.js";
import type { ChosenMetric } from "../registry.js";
import type { ResultRow } from "./row.js";

/** What is still to be measured on one case. Plain data, so that it can be sent to a worker. */
export interface Job {
  readonly case: string;
  readonly todo: readonly { readonly method: string; readonly metrics: readonly string[] }[];
}

export interface Workshop<I> {
  readonly bench: Bench<I>;
  readonly metrics: readonly ChosenMetric[];
  load(caseId: string): Promise<Case<I>>;
  /** The methods that are judged; baselines are known already. */
  explainer(method: string): Promise<Explainer<I>>;
}

/** A function that does jobs. A case or method that fails gives a row with the reason and hinders nothing else. */
export function performer<I>(workshop: Workshop<I>): (job: Job) => Promise<ResultRow[]> {
  const { bench, load } = workshop;
  const methodOf = (id: string, of: Case<I>) => {
    const baseline = baselines.find((one) => one.id === id);
    return baseline ? baselineExplainer(baseline, of, bench.seed) : workshop.explainer(id);
  };
  return async (job) => {
    const rows: ResultRow[] = [];
    const failed = (method: string, group: string, error: unknown) =>
      rows.push({ case: job.case, group, method, error: error instanceof Error ? error.message : String(error) });
    let of: Case<I>;
    try {
      of = await load(job.case);
    } catch (error) {
      for (const { method } of job.todo) failed(method, job.case, error);
      return rows;
    }
    const context = caseContext(of, bench);
    const group = of.group ?? of.id;
    for (const { method, metrics } of job.todo) {
      const chosen = workshop.metrics.filter(({ name }) => metrics.includes(name));
      try {
        const { values, missing } = await measure(context, await methodOf(method, of), chosen);
        const { target, shortened } = of;
        rows.push({ case: job.case, group, method, target, values, missing, ...(shortened && { shortened }) });
      } catch (error) {
        failed(method, group, error);
      }
    }
    return rows;
  };
}
