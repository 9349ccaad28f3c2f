import { failure, problem } from "./problem.js";

/** Closing waits for what is under way and refuses what comes after. */
export function lifetime(end: () => Promise<void>) {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const during = <T>(task: () => Promise<T>): Promise<T> => {
    if (closing) {
      const why = "close() was called before";
      return Promise.reject(failure(problem("E068", { why, try: "create a new explainer" })));
    }
    const result = task();
    const settled: Promise<unknown> = result.catch(() => undefined).then(() => running.delete(settled));
    running.add(settled);
    return result;
  };
  const close = (): Promise<void> => {
    closing ??= Promise.all(running).then(end);
    return closing;
  };
  return { during, close };
}
