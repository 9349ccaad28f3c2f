/** What a method costs on this machine, in forwards of the plain model, measured in turns with it. */
import { ratioOf, type Spread, spreadOf, takeTurns } from "../bench/measure.js";
import type { Answer, Work } from "../explain/work.js";

export interface Cost {
  /** An explanation in forwards of the plain model. */
  readonly forwards: Spread;
  /** Milliseconds. */
  readonly explain: Spread;
  readonly forward: Spread;
}

/** What is longer than this is not run again for measuring: the first time was long enough to be measured. */
const long = 2000;

/** For an answer that was just given. Several runs are made in a row, since the first pays for the switch between two sessions. */
export async function measureCost(work: Work, answer: Answer): Promise<Cost> {
  const forward = () => work.predictAgain(answer);
  const once = answer.milliseconds / answer.parts.length;
  const times =
    once > long
      ? { explain: [once], forward: [spreadOf((await takeTurns({ forward }, { rounds: 5 })).forward).median] }
      : await takeTurns({ forward, explain: () => work.explainAgain(answer) }, { rounds: 5, repeats: 3, budget: 3000 });
  return {
    forwards: ratioOf(times.explain, times.forward),
    explain: spreadOf(times.explain),
    forward: spreadOf(times.forward),
  };
}

/** "4.6 forwards · 31 ms"; "about" where the quartiles lie a quarter of the median apart or more. */
export function costText({ forwards, explain }: Cost): string {
  const unsure = forwards.high - forwards.low > 0.25 * forwards.median;
  return `${unsure ? "about " : ""}${shortNumber(forwards.median)} forwards · ${milliseconds(explain.median)}`;
}

export const shortNumber = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export const milliseconds = (value: number): string =>
  value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ms`;
