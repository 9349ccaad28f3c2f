import type { Progress, Terminal } from "../terminal.js";

/** Maps that take longer than this are announced, in seconds. */
const LONG = 5;

/** Methods of many runs, while they run: a bar for each map, and once what a map will cost. */
export function watchRuns(terminal: Terminal, method: string): (done: number, total: number) => void {
  let bar: Progress | undefined;
  let before = 0;
  let started = performance.now();
  let said = false;
  return (done, total) => {
    if (done <= before || !bar) [bar, before] = [terminal.progress(method, total, "runs"), 0];
    bar.step(done - before);
    before = done;
    const seconds = ((performance.now() - started) / 1000 / done) * total;
    if (!said && seconds > LONG)
      terminal.note(`${method} runs the model ${total} times for this, about ${duration(seconds)}`);
    said = true;
    if (done < total) return;
    bar.end();
    [bar, before, started] = [undefined, 0, performance.now()];
  };
}

const duration = (seconds: number): string =>
  seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
