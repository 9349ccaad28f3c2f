/** One method after the other over the same inputs: answers, what each costs, and what was refused with the reason. */

import type { VitrailError } from "vitrail";
import type { Explainer } from "vitrail/node";
import { problemOf } from "../explain/run.js";
import type { Sample } from "../explain/sample.js";
import { fileTarget, titleOf } from "../explain/title.js";
import type { Answer, Work } from "../explain/work.js";
import type { Terminal } from "../terminal.js";
import type { Column } from "./column.js";
import { type Cost, measureCost } from "./cost.js";
import { type Common, inCommonUnits } from "./units.js";

/** A method that answered at least once. */
export interface ColumnResult extends Column {
  readonly cost: Cost | undefined;
}

/** One input and one target: what each method says. */
export interface ComparedRow {
  readonly sample: Sample;
  /** "WBC", "A rather than B". */
  readonly target: string;
  /** Whether it asks what speaks for one class rather than another. */
  readonly contrast: boolean;
  /** One per column; undefined where the method failed, or says the same of every class and is asked for the difference. */
  readonly answers: readonly (Answer | undefined)[];
  readonly common: readonly (Common | undefined)[];
}

/** A method that the model refuses (no input named), that failed on an input, or an input that cannot be read (no method named). */
export interface Refusal {
  readonly method?: string;
  readonly input?: string;
  readonly error: unknown;
}

export interface Comparison {
  readonly columns: readonly ColumnResult[];
  readonly rows: readonly ComparedRow[];
  readonly refusals: readonly Refusal[];
}

export interface CompareOptions {
  readonly open: (column: Column) => Promise<Explainer>;
  readonly work: (explainer: Explainer, column: Column) => Work;
  /** The inputs, read with the first explainer that opens. */
  readonly load: (explainer: Explainer) => Promise<readonly Sample[]>;
  readonly batchSize: number;
  readonly terminal: Terminal;
}

/** Methods are run one after the other, so that no two models are in memory at once. */
export async function compareAll(columns: readonly Column[], options: CompareOptions): Promise<Comparison> {
  const { open, work, load, batchSize, terminal } = options;
  const refusals: Refusal[] = [];
  const results: { column: ColumnResult; answers: Answer[] }[] = [];
  let samples: readonly Sample[] | undefined;
  const bar = terminal.progress("comparing", columns.length, "methods");
  for (const column of columns) {
    const explainer = await open(column).catch((error: unknown) => {
      refusals.push({ method: column.name, error });
    });
    bar.step();
    if (!explainer) continue;
    try {
      samples ??= await load(explainer);
      const worker = work(explainer, column);
      const answers: Answer[] = [];
      for (let at = 0; at < samples.length; at += batchSize) {
        const batch = samples.slice(at, at + batchSize);
        const fail = (error: unknown) => {
          for (const { name } of batch) refusals.push({ method: column.name, input: name, error });
          return [];
        };
        for (const answer of (await worker.answer(batch).catch(fail)).flat()) {
          const error = notFinite(answer);
          if (error) refusals.push({ method: column.name, input: answer.sample.name, error });
          else answers.push(answer);
        }
      }
      const [first] = answers;
      if (!first) continue;
      results.push({ column: { ...column, cost: await measureCost(worker, first) }, answers });
    } finally {
      await explainer.close();
    }
  }
  bar.end();
  return {
    columns: results.map(({ column }) => column),
    rows: rowsOf(results),
    refusals,
  };
}

/** A map of zeros can be compared, one of no numbers cannot. */
function notFinite(answer: Answer): VitrailError | undefined {
  const error = problemOf(answer);
  return error?.diagnostics[0]?.code === "E041" ? undefined : error;
}

/** Inputs in their order, the targets of each in theirs. */
function rowsOf(results: readonly { column: ColumnResult; answers: readonly Answer[] }[]): ComparedRow[] {
  const keyOf = (answer: Answer) => fileTarget(answer).index;
  const heads = new Map<Sample, Map<string, Answer>>();
  for (const answer of results.flatMap(({ answers }) => answers)) {
    const targets = heads.get(answer.sample) ?? new Map<string, Answer>();
    heads.set(answer.sample, targets.set(keyOf(answer), targets.get(keyOf(answer)) ?? answer));
  }
  const some = results.some(({ column }) => column.method.classSpecific);
  return [...heads].flatMap(([sample, targets]) =>
    [...targets].map(([key, head]) => {
      const contrast = head.chosen.kind === "contrast";
      const answers = results.map(({ column, answers: all }) =>
        // A map of zeros in the picture, and among what is compared, would pass for an answer.
        contrast && some && !column.method.classSpecific
          ? undefined
          : all.find((each) => each.sample === sample && keyOf(each) === key),
      );
      const common = inCommonUnits(answers.filter((answer) => answer !== undefined));
      let next = 0;
      const inOrder = answers.map((answer) => answer && common[next++]);
      return { sample, target: titleOf(head), contrast, answers, common: inOrder };
    }),
  );
}

/** What stands where a column has no map. */
export const absence = ({ method }: Column, { contrast }: ComparedRow): string =>
  contrast && !method.classSpecific ? "the same for both classes" : "no map";
