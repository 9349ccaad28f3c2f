/** What every loader returns: the good rows, and each broken one with its place and reason. */
export interface BrokenRow {
  readonly file: string;
  /** Line in a text file, from 1; for other files the place inside, such as `annotations[3]`. */
  readonly at?: number | string;
  readonly reason: string;
}

export interface Loaded<T> {
  readonly samples: readonly T[];
  readonly broken: readonly BrokenRow[];
  /** Good and broken rows together. */
  readonly total: number;
  /** What a reader must know of all of it, such as fields that are not read. */
  readonly notes?: readonly string[];
}

export interface LoadOptions {
  /** `fail` (default): one error that lists every broken row. `skip`: leave them out; they stay counted in `broken`. */
  readonly broken?: "fail" | "skip";
}

export class DataError extends Error {
  override readonly name = "DataError";
  readonly broken: readonly BrokenRow[];
  constructor(broken: readonly BrokenRow[], total: number) {
    const shown = broken
      .slice(0, 10)
      .map(({ file, at, reason }) => `  ${file}${at === undefined ? "" : `:${at}`}  ${reason}`);
    const more = broken.length > 10 ? [`  and ${broken.length - 10} more`] : [];
    super([`${broken.length} of ${total} rows are broken`, ...shown, ...more].join("\n"));
    this.broken = broken;
  }
}

/** Collects rows; a reason thrown as `Broken` by `read` marks the row, anything else is a bug and goes through. */
export class Collector<T> {
  readonly #samples: T[] = [];
  readonly #broken: BrokenRow[] = [];

  add(place: Omit<BrokenRow, "reason">, read: () => T): void {
    try {
      this.#samples.push(read());
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.#broken.push({ ...place, reason: error.message });
    }
  }

  finish({ broken = "fail" }: LoadOptions = {}, notes: readonly string[] = []): Loaded<T> {
    const total = this.#samples.length + this.#broken.length;
    if (broken === "fail" && this.#broken.length > 0) throw new DataError(this.#broken, total);
    return { samples: this.#samples, broken: this.#broken, total, ...(notes.length > 0 && { notes }) };
  }
}

/** The reason why one row cannot be used. */
export class Broken extends Error {}

export function check(condition: unknown, reason: string): asserts condition {
  if (!condition) throw new Broken(reason);
}

/** JSON or the reason why not. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Broken(`no valid JSON: ${(error as Error).message}`);
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
