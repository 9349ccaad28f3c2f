import { SingleBar } from "cli-progress";
import pico from "picocolors";
import { prettyJson } from "./output/json.js";
import { size } from "./output/size.js";
import { escaped, visible, visibleInColour } from "./output/visible.js";

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Colors = ReturnType<typeof pico.createColors>;

export interface TerminalOptions {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
  color?: boolean | undefined;
  verbose?: boolean | undefined;
}

export interface Progress {
  step(count?: number): void;
  end(): void;
}

const clearLine = "\r\x1b[K";

/**
 * Where words go. With `--json`, standard output holds one JSON document and nothing else; all other words go to standard
 * error. Colours and progress need a terminal; `NO_COLOR` and `--no-color` are honoured.
 */
export class Terminal {
  readonly colors: Colors;
  private bar: SingleBar | undefined;

  constructor(
    private readonly options: TerminalOptions = {},
    private readonly stdout: Stream = process.stdout,
    private readonly stderr: Stream = process.stderr,
  ) {
    const words = options.json ? stderr : stdout;
    const wanted = options.color !== false && !process.env.NO_COLOR;
    this.colors = pico.createColors(wanted && words.isTTY === true);
  }

  get width(): number {
    return Math.max(60, (this.options.json ? this.stderr : this.stdout).columns ?? 100);
  }

  /** Words for a person. */
  say(text = ""): void {
    if (!this.options.quiet) this.write(this.options.json ? this.stderr : this.stdout, `${text}\n`);
  }

  /** Words for a person who asked for more of them. */
  detail(text: string): void {
    if (this.options.verbose) this.say(text);
  }

  /** The answer itself, for another program. */
  json(value: unknown): void {
    if (this.bar) this.stderr.write(clearLine);
    this.stdout.write(`${escaped(this.stdout.isTTY ? prettyJson(value) : JSON.stringify(value))}\n`);
  }

  /** The answer itself, as text; it is asked for, so `--quiet` does not silence it. */
  print(text: string): void {
    this.write(this.stdout, text.endsWith("\n") ? text : `${text}\n`);
  }

  /** An aside, which is not part of the answer. */
  note(text: string): void {
    if (!this.options.quiet) this.write(this.stderr, `${text}\n`);
  }

  complain(text: string): void {
    this.write(this.stderr, `${text}\n`);
  }

  /** Says what takes long while it takes long, where somebody watches. */
  async busy<T>(label: string, task: () => Promise<T>): Promise<T> {
    if (!this.watched) return task();
    this.stderr.write(this.colors.dim(`${visible(label)} …`));
    try {
      return await task();
    } finally {
      this.stderr.write(clearLine);
    }
  }

  /** A bar on standard error; where nobody watches, a line every half a minute. */
  progress(label: string, total: number, unit = ""): Progress {
    if (total <= 0) return { step: () => {}, end: () => {} };
    if (!this.watched) return this.log(label, total, unit);
    const bar = new SingleBar({
      format: `${visible(label)} {bar} {percentage} %  {value}/{total}${unit && unit !== "bytes" ? ` ${unit}` : ""}  {eta_formatted} left`,
      // Percentages and times come here too.
      formatValue: (value, _, type) =>
        unit === "bytes" && (type === "value" || type === "total") ? size(value) : `${value}`,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      stream: this.stderr as unknown as NodeJS.WritableStream,
    });
    bar.start(total, 0);
    this.bar = bar;
    const end = () => {
      bar.stop();
      this.bar = undefined;
    };
    return { step: (count = 1) => bar.increment(count), end };
  }

  private log(label: string, total: number, unit: string): Progress {
    const start = performance.now();
    let [done, last] = [0, start];
    // What is opened and compiled comes before the first step and never again: the pace is that of the steps after it.
    let first: { readonly at: number; readonly done: number } | undefined;
    const step = (count = 1) => {
      done += count;
      const now = performance.now();
      first ??= { at: now, done };
      if (now - last < 30_000) return;
      last = now;
      const pace = done > first.done ? (now - first.at) / (done - first.done) : (now - start) / done;
      const seconds = (pace / 1000) * (total - done);
      const left = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
      const amount = unit === "bytes" ? `${size(done)} of ${size(total)}` : `${done} of ${total} ${unit}`;
      this.note(`${label}: ${amount}, about ${left} left`);
    };
    return { step, end: () => {} };
  }

  private get watched(): boolean {
    return this.options.quiet !== true && this.stderr.isTTY === true;
  }

  /** Words take the place of the bar, if there is one; it comes back below them with its next step. */
  private write(stream: Stream, text: string): void {
    if (this.bar) this.stderr.write(clearLine);
    stream.write(this.colors.isColorSupported ? visibleInColour(text) : visible(text));
  }
}
