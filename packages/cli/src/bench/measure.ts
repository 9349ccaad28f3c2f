/**
 * Time on a machine that is never quiet: tasks take turns, round by round, so that a slow moment meets all of them alike. What is
 * compared is the median over the rounds, and ratios are formed within a round.
 */

/** Milliseconds, or a ratio, over several rounds. */
export interface Spread {
  readonly median: number;
  /** First and third quartile. */
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

export interface RoundOptions {
  /** At least one. */
  readonly rounds: number;
  /** Untimed runs of every task before the first round; default 1. */
  readonly warmup?: number;
  /** No further round begins after so many milliseconds; default: all rounds are run. */
  readonly budget?: number;
  /** Runs of a task in a row within a round, of which the median counts; the first pays for the switch. Default 1. */
  readonly repeats?: number;
}

/** Milliseconds of every task, one entry per round. */
export async function takeTurns<Name extends string>(
  tasks: Readonly<Record<Name, () => Promise<unknown>>>,
  { rounds, warmup = 1, budget = Number.POSITIVE_INFINITY, repeats = 1 }: RoundOptions,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(tasks) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let i = 0; i < warmup; i++) for (const name of names) await tasks[name]();
  const began = performance.now();
  for (let round = 0; round < rounds && (round === 0 || performance.now() - began < budget); round++) {
    for (const name of names) {
      const runs: number[] = [];
      for (let i = 0; i < repeats; i++) {
        const start = performance.now();
        await tasks[name]();
        runs.push(performance.now() - start);
      }
      times[name].push(quantile(runs.length > 1 ? runs.slice(1) : runs, 0.5));
    }
  }
  return times;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: quantile(values, 0.5),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
  rounds: values.length,
});

/** One task in units of another, round by round. */
export const ratioOf = (times: readonly number[], unit: readonly number[]): Spread =>
  spreadOf(times.map((time, round) => time / unit[round]!));

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}
