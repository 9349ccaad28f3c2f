/** Plans what is left to do, keeps a number of lanes busy, and writes every row as soon as it is there. */
import { baselines } from "../baseline.js";
import type { Job } from "./perform.js";
import type { Results } from "./results.js";
import type { ResultRow } from "./row.js";

export interface Progress {
  /** Cases finished in this run, cases to do in this run, cases that were done before. */
  readonly done: number;
  readonly total: number;
  readonly before: number;
  readonly failed: number;
  /** Seconds left, from the pace of this run; `undefined` before the first case. */
  readonly secondsLeft?: number;
}

export interface RunOptions {
  readonly cases: readonly string[];
  readonly methods: readonly string[];
  /** The rows beside them: all of the library's when not said. */
  readonly baselines?: readonly string[];
  /** Names of the chosen metrics. */
  readonly metrics: readonly string[];
  readonly results: Results;
  perform(job: Job): Promise<readonly ResultRow[]>;
  /** Jobs at the same time: the number of workers behind `perform`. */
  readonly lanes?: number;
  readonly signal?: { readonly aborted: boolean };
  onProgress?(progress: Progress): void;
  /** Milliseconds; for the time left. */
  clock?(): number;
}

/** The judged methods, followed by the rows that stand beside them. */
export const withBaselines = (
  methods: readonly string[],
  beside: readonly string[] = baselines.map(({ id }) => id),
): string[] => [...new Set([...methods, ...beside])];

/** What is not in the results yet, case by case. */
export function plan({
  cases,
  methods,
  baselines,
  metrics,
  results,
}: Pick<RunOptions, "cases" | "methods" | "baselines" | "metrics" | "results">): Job[] {
  return cases.flatMap((id) => {
    const todo = withBaselines(methods, baselines).flatMap((method) => {
      const open = metrics.filter((metric) => !results.has(id, method, metric));
      return open.length > 0 ? [{ method, metrics: open }] : [];
    });
    return todo.length > 0 ? [{ case: id, todo }] : [];
  });
}

export async function run(options: RunOptions): Promise<Progress> {
  const { results, perform, lanes = 1, signal, onProgress, clock } = options;
  const jobs = plan(options);
  const start = clock?.() ?? 0;
  let [next, done, failed] = [0, 0, 0];
  const progress = (): Progress => ({
    done,
    total: jobs.length,
    before: options.cases.length - jobs.length,
    failed,
    ...(clock && done > 0 && { secondsLeft: (((clock() - start) / done) * (jobs.length - done)) / 1000 }),
  });
  const lane = async () => {
    while (next < jobs.length && !signal?.aborted) {
      const job = jobs[next++]!;
      const rows = await perform(job);
      for (const row of rows) await results.append(row);
      if (rows.some((row) => row.error !== undefined)) failed++;
      done++;
      onProgress?.(progress());
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, lanes) }, lane));
  return progress();
}
