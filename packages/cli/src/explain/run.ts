import { VitrailError } from "vitrail";
import type { ExplanationDocument } from "vitrail/node";
import type { Source } from "../input/source.js";
import { type OutputPlan, writeAnswers } from "../output/files.js";
import { asVitrailError } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { type DocumentContext, toDocument } from "./document.js";
import type { Sample } from "./sample.js";
import { sayAnswers } from "./say.js";
import { titleOf } from "./title.js";
import type { Answer, Answerer } from "./work.js";

export interface Failure {
  input: string;
  error: unknown;
}

export interface RunOptions {
  /** How many inputs are read before they are explained together. */
  batchSize: number;
  terminal: Terminal;
  /** Where files go, if any are written. */
  plan?: OutputPlan;
  /** Given when the documents are wanted at the end. */
  context?: DocumentContext;
}

export interface Outcome {
  /** Inputs that were explained. */
  answered: number;
  documents: ExplanationDocument[];
  failures: Failure[];
}

/** Explains one batch after the other. A failing input does not stop the others, and nothing large is kept. */
export async function explainAll(sources: readonly Source[], work: Answerer, options: RunOptions): Promise<Outcome> {
  const { batchSize, terminal, plan, context } = options;
  const outcome: Outcome = { answered: 0, documents: [], failures: [] };
  const said = new Set<string>();
  const taken = new Set<string>();
  const attempt = async <T>(inputs: readonly string[], task: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await task();
    } catch (error) {
      for (const input of inputs) outcome.failures.push({ input, error });
      return [];
    }
  };
  const bar = terminal.progress("explaining", sources.length > 1 ? sources.length : 0, "inputs");
  for (let at = 0; at < sources.length; at += batchSize) {
    const batch = sources.slice(at, at + batchSize);
    const loaded = await Promise.all(
      batch.map(async (source) => alone(source, await attempt([source.name], source.load))),
    );
    const groups = loaded.flat().filter((samples) => samples.length > 0);
    const pages = await together(groups, work, attempt);
    for (const page of pages) {
      const own = page.filter((answer) => {
        const error = problemOf(answer);
        if (error) outcome.failures.push({ input: answer.sample.name, error });
        return !error;
      });
      if (own.length === 0 && page.length > 0) continue;
      await attempt(
        own.slice(0, 1).map(({ sample }) => sample.name),
        async () => {
          const documents = context ? own.map((answer) => toDocument(answer, context)) : [];
          sayAnswers(terminal, own, plan ? await writeAnswers(own, plan, taken) : [], said);
          outcome.documents.push(...documents);
          outcome.answered++;
          return [];
        },
      );
    }
    bar.step(batch.length);
  }
  bar.end();
  return outcome;
}

/** Samples that only make sense together: the two that are compared. Rows of a tensor file are inputs by themselves. */
const alone = ({ kind }: Source, samples: Sample[]): Sample[][] =>
  kind === "tensors" ? samples.map((sample) => [sample]) : [samples];

type Attempt = <T>(inputs: readonly string[], task: () => Promise<T[]>) => Promise<T[]>;

/** All in as few runs as fit; where that fails, one after the other, so that one bad input never stops the others. */
async function together(groups: readonly Sample[][], work: Answerer, attempt: Attempt): Promise<Answer[][]> {
  const one = (samples: Sample[]) =>
    attempt(
      samples.map(({ name }) => name),
      () => work.answer(samples),
    );
  if (groups.length <= 1) return groups[0] ? one(groups[0]) : [];
  try {
    return await work.answer(groups.flat());
  } catch {
    const pages: Answer[][] = [];
    for (const samples of groups) pages.push(...(await one(samples)));
    return pages;
  }
}

/** A map that explains nothing is an error of its input, whatever was asked of it besides. */
export function problemOf(answer: Answer): VitrailError | undefined {
  const found = answer.parts.map(({ explanation, row }) => explanation.problem(row));
  // A window of a long text may have no part in the answer.
  const worst = found.find((d) => d?.code === "E040") ?? (found.every((d) => d) ? found[0] : undefined);
  // A vector is at its most like itself: nothing moves the score, and a map of zeros is the truth.
  const { chosen } = answer;
  if (worst?.code === "E041" && chosen.kind === "similar" && chosen.similarity > 1 - 1e-5) return undefined;
  return worst && new VitrailError([{ ...worst, at: `the map of ${titleOf(answer)}` }]);
}

/** The JSON of a run: one explanation by itself, several as a list, failures beside them. */
export function reportOf({ documents, failures }: Outcome): object {
  const [only] = documents;
  if (only && documents.length === 1 && failures.length === 0) return only;
  const failed = failures.map(({ input, error }) => ({ input, diagnostics: asVitrailError(error).diagnostics }));
  return { explanations: documents, ...(failed.length > 0 && { failures: failed }) };
}
