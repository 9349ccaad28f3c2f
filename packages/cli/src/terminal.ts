import { SingleBar } from "cli-progress";
import pico from "picocolors";
import { prettyJson } from "./output/json.js";

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
}

export interface Progress {
  step(count?: number): void;
  end(): void;
}

/**
 * Where words go. With `--json`, standard output holds one JSON document and nothing else; all other words go to standard
 * error. Colours and progress need a terminal; `NO_COLOR` and `--no-color` are honoured.
 */
export class Terminal {
  readonly colors: Colors;

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
    return (this.options.json ? this.stderr : this.stdout).columns ?? 100;
  }

  /** The same place with other options: verbs know theirs only when they are parsed. */
  with(options: TerminalOptions): Terminal {
    return new Terminal(options, this.stdout, this.stderr);
  }

  /** Words for a person. */
  say(text = ""): void {
    if (this.options.quiet) return;
    (this.options.json ? this.stderr : this.stdout).write(`${text}\n`);
  }

  /** The answer itself, for another program. */
  json(value: unknown): void {
    this.stdout.write(`${this.stdout.isTTY ? prettyJson(value) : JSON.stringify(value)}\n`);
  }

  /** The answer itself, as text; it is asked for, so `--quiet` does not silence it. */
  print(text: string): void {
    this.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  note(text: string): void {
    if (!this.options.quiet) this.stderr.write(`${text}\n`);
  }

  complain(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** A bar on standard error; nothing where nobody watches. */
  progress(label: string, total: number, unit = ""): Progress {
    const silent = this.options.quiet || this.stderr.isTTY !== true || total <= 0;
    if (silent) return { step: () => {}, end: () => {} };
    const bar = new SingleBar({
      format: `${label} {bar} {percentage} %  {value}/{total}${unit && ` ${unit}`}  {eta_formatted} left`,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      stream: this.stderr as unknown as NodeJS.WritableStream,
    });
    bar.start(total, 0);
    return { step: (count = 1) => bar.increment(count), end: () => bar.stop() };
  }
}
