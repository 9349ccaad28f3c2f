import { type Batch, type Encoding, encode, maxLengthOf, rowsOf, type TextTokenizer, toBatch } from "@vitrail/text";
import { type Feeds, type Findings, tensor } from "vitrail/node";
import { type Meanings, textSpecs } from "../input/meanings.js";
import { readTextFile } from "../input/text-sample.js";
import { readTokenizer } from "../input/tokenizer.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";

type InputReport = Findings["inputs"][number];

export interface PromptFlags {
  prompt?: string[];
  promptFile?: string;
}

export const asksForPrompts = ({ prompt, promptFile }: PromptFlags): boolean =>
  prompt !== undefined || promptFile !== undefined;

/** The prompts of a command line, in their order, each once. */
export async function readPrompts({ prompt = [], promptFile }: PromptFlags): Promise<string[]> {
  const lines = promptFile === undefined ? [] : await readTextFile(promptFile);
  const all = [...new Set([...prompt, ...lines.map(({ text }) => text)])].filter((text) => text.trim() !== "");
  if (all.length > 0) return all;
  throw problem("E080", { at: "--prompt", why: "every prompt is empty", try: '--prompt "a photo of a cat"' });
}

/** Relevance of a prompt's own tokens, and the share of all of it that fell on padding instead. */
export interface PromptValues {
  values: Float64Array;
  padding: number;
}

/** Prompts as the text tower reads them, all of one length. */
export class Prompts {
  private constructor(
    readonly texts: readonly string[],
    readonly encodings: readonly Encoding[],
    private readonly tokenizer: TextTokenizer,
    private readonly inputs: readonly InputReport[],
    private readonly width: number,
    private readonly meanings: Meanings | undefined,
  ) {}

  /** `inputs` are those of the model that take whole numbers. */
  static async open(texts: readonly string[], inputs: readonly InputReport[], files: ModelFiles): Promise<Prompts> {
    const tokenizer = await readTokenizer(files);
    const fixed = inputs.flatMap(({ dims }) => (typeof dims[1] === "number" ? [dims[1]] : []))[0];
    const limit = maxLengthOf(tokenizer, (files.config ?? {}) as Record<string, unknown>);
    const maxLength = Math.min(limit, fixed ?? Number.POSITIVE_INFINITY);
    // A prompt is one question: what does not fit is cut off, and a warning says which words.
    const encodings = texts.map((text) => encode(tokenizer, text, { maxLength, overflow: "truncate" }));
    const longest = Math.max(...encodings.map(({ whole }) => whole.tokens.length));
    // SigLIP was trained with every text padded to the full length, and reads its last position.
    const full = /^siglip/.test(files.config?.model_type ?? "") && Number.isFinite(maxLength) ? maxLength : undefined;
    return new Prompts(texts, encodings, tokenizer, inputs, fixed ?? full ?? longest, files.meanings);
  }

  /** Some of the prompts as one batch, in the order asked for. */
  feeds(indices: readonly number[]): Feeds {
    const { inputs } = this.batch(indices);
    return Object.fromEntries(
      Object.entries(inputs).map(([name, { data, dims, type }]) => [name, tensor(data, dims, type)]),
    );
  }

  /** What a row of the text tower's relevance says about prompt `index`. */
  valuesOf(index: number, row: Float32Array): PromptValues {
    const values = rowsOf(this.batch([index]), row)[0]!;
    const size = (all: ArrayLike<number>) => Array.from(all).reduce((sum, value) => sum + Math.abs(value), 0);
    const total = size(row);
    return { values, padding: total > 0 ? Math.max(0, 1 - size(values) / total) : 0 };
  }

  private batch(indices: readonly number[]): Batch {
    const specs = textSpecs(this.inputs, this.meanings, this.inputs.length === 1 ? this.inputs[0]!.name : "input_ids");
    const rows = indices.map((index) => this.encodings[index]!.whole);
    return toBatch(this.tokenizer, rows, specs, { width: this.width });
  }
}
