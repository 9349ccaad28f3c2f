/** Measures what is not in the results yet, with progress; a first interrupt lets the running cases finish. */
import { type Progress, plan, type Results, randomises, run } from "@vitrail/evaluation";
import type { Terminal } from "../terminal.js";
import type { Crew } from "./crew.js";
import type { Prepared } from "./prepare.js";

export interface Ended {
  readonly done: number;
  readonly before: number;
  readonly failed: number;
  readonly interrupted: boolean;
}

/** Method by method where only few fit into memory at once, else all methods of a case together. */
export async function measureAll(
  { setup, cases, workers, baselines }: Prepared,
  crew: Crew,
  results: Results,
  terminal: Terminal,
): Promise<Ended> {
  const names = setup.methods.map(({ name }) => name);
  const randomised = setup.metrics.some((name) => randomises(name));
  const together = randomised ? 1 : setup.sessions;
  const groups = Array.from({ length: Math.ceil(names.length / together) }, (_, i) =>
    names.slice(i * together, (i + 1) * together),
  );
  const common = {
    cases: cases.refs.map(({ id }) => id),
    metrics: setup.metrics,
    results,
    ...(baselines && { baselines }),
  };
  const total = groups.reduce((sum, methods) => sum + plan({ ...common, methods }).length, 0);
  const signal = { aborted: false };
  const interrupt = () => {
    signal.aborted = true;
    terminal.note("stopping after the cases that are under way; the same command goes on from there");
  };
  process.once("SIGINT", interrupt);
  const bar = terminal.progress("evaluating", total, "cases");
  const parts: Progress[] = [];
  try {
    for (const methods of groups) {
      parts.push(
        await run({
          ...common,
          methods,
          lanes: workers,
          signal,
          perform: (job) => crew.perform(job),
          onProgress: () => bar.step(),
        }),
      );
    }
  } finally {
    bar.end();
    process.removeListener("SIGINT", interrupt);
  }
  const sum = (key: "done" | "failed") => parts.reduce((all, part) => all + part[key], 0);
  return {
    done: sum("done"),
    before: groups.length * common.cases.length - total,
    failed: sum("failed"),
    interrupted: signal.aborted,
  };
}
