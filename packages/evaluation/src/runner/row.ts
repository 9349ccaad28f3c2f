/** One line of results.jsonl: what one method got on one case. */
import type { Measurement, Need } from "../metric.js";
import type { Shortened } from "../model.js";

export const schema = "vitrail/evaluation@1";

export interface ResultRow {
  readonly case: string;
  readonly group: string;
  readonly method: string;
  readonly target?: number;
  /** Measurements by the chosen metric's name. */
  readonly values?: Readonly<Record<string, Measurement>>;
  /** Metrics that were left out, each with what the case or method did not offer. */
  readonly missing?: Readonly<Record<string, readonly Need[]>>;
  /** Only the beginning of the sample was read. */
  readonly shortened?: Shortened;
  /** Why nothing could be measured. */
  readonly error?: string;
}

/** What must be equal for results to belong together; the first line of the file. */
export type Settings = Readonly<Record<string, string | number | boolean | null>>;

export const finished = (row: ResultRow): readonly string[] => [
  ...Object.keys(row.values ?? {}),
  ...Object.keys(row.missing ?? {}),
];
