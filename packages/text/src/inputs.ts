import { TextError } from "./errors.js";
import { meaningOf, type TextMeaning, textMeanings } from "./meaning.js";
import type { Row, TextTokenizer } from "./tokenizer.js";

/** An input as a runtime takes it. `data` is row after row. */
export interface TextInput {
  readonly type: InputType;
  readonly dims: [number, number];
  readonly data: BigInt64Array | Int32Array | Float32Array | Uint8Array;
}

export type InputType = "int64" | "int32" | "float32" | "bool";

/**
 * An input that the model declares: its name, or its name with the element type where that is not int64, and with what it holds where
 * the name does not say it.
 */
export type InputSpec = string | { readonly name: string; readonly type?: InputType; readonly meaning?: TextMeaning };

export interface Batch {
  readonly inputs: Record<string, TextInput>;
  /** How many tokens of each row are no padding. */
  readonly lengths: readonly number[];
  /** Tokens per row, padding included. */
  readonly width: number;
  readonly padSide: "left" | "right";
}

/** What each input says about token `i` of a row, and about padding. */
const FILL: Readonly<Record<TextMeaning, (row: Row, i: number) => number>> = {
  ids: (row, i) => row.tokens[i]!.id,
  mask: () => 1,
  types: (row, i) => row.typeIds[i]!,
  positions: (_, i) => i,
};

const ARRAYS: Readonly<Record<InputType, (numbers: readonly number[]) => TextInput["data"]>> = {
  int64: (numbers) => BigInt64Array.from(numbers, BigInt),
  int32: (numbers) => Int32Array.from(numbers),
  float32: (numbers) => Float32Array.from(numbers),
  bool: (numbers) => Uint8Array.from(numbers),
};

/** Rows of different lengths as the inputs of one run, padded to the longest (or to `width` for a model of fixed length). */
export function toBatch(
  tokenizer: TextTokenizer,
  rows: readonly Row[],
  names: readonly InputSpec[] = ["input_ids", "attention_mask"],
  options: { readonly width?: number } = {},
): Batch {
  const longest = Math.max(0, ...rows.map((row) => row.tokens.length));
  const width = options.width ?? longest;
  if (longest > width) {
    throw new TextError("T003", `a row has ${longest} tokens and the model takes ${width}`, "encode with maxLength");
  }
  const specs = names.map((spec) => (typeof spec === "string" ? { name: spec } : spec));
  const foreign = specs.filter(({ name, meaning = meaningOf(name) }) => !meaning).map(({ name }) => name);
  if (foreign.length) {
    throw new TextError(
      "T004",
      `cannot make the input ${foreign.map((name) => `"${name}"`).join(", ")} from text`,
      `text gives ${textMeanings.join(", ")}: say which of them it is, or pass it yourself`,
    );
  }
  const inputs: Record<string, TextInput> = {};
  for (const { name, type = "int64", meaning = meaningOf(name)! } of specs) {
    const numbers = new Array<number>(rows.length * width).fill(meaning === "ids" ? tokenizer.padId : 0);
    for (const [r, row] of rows.entries()) {
      const shift = r * width + (tokenizer.padSide === "left" ? width - row.tokens.length : 0);
      for (let i = 0; i < row.tokens.length; i++) numbers[shift + i] = FILL[meaning](row, i);
    }
    inputs[name] = { type, dims: [rows.length, width], data: ARRAYS[type](numbers) };
  }
  return { inputs, lengths: rows.map((row) => row.tokens.length), width, padSide: tokenizer.padSide };
}

/** Cuts a `[batch, tokens]` output back into rows without padding. */
export function rowsOf(batch: Batch, values: ArrayLike<number>): Float64Array[] {
  const { lengths, width, padSide } = batch;
  if (values.length !== lengths.length * width) {
    throw new TextError(
      "T005",
      `${values.length} values for ${lengths.length} rows of ${width} tokens`,
      "pass the whole `relevance` output of this batch",
    );
  }
  return lengths.map((length, r) => {
    const start = r * width + (padSide === "left" ? width - length : 0);
    return Float64Array.from({ length }, (_, i) => values[start + i]!);
  });
}

/**
 * The most tokens a model takes: the smaller of the tokenizer's limit and the positions that config.json names. Models of the
 * RoBERTa family count positions from the padding index on, so two of them are not for text.
 */
export function maxLengthOf(tokenizer: TextTokenizer, modelConfig: Readonly<Record<string, unknown>> = {}): number {
  const text = (modelConfig.text_config ?? {}) as Readonly<Record<string, unknown>>;
  const named = [modelConfig, text].flatMap((config) =>
    ["max_position_embeddings", "n_positions", "max_seq_len"].map((key) => config[key]),
  );
  const shifted = /roberta|camembert|longformer/.test(String(modelConfig.model_type)) ? 2 : 0;
  const limits = named.filter((n): n is number => typeof n === "number" && n > 0).map((n) => n - shifted);
  return Math.min(tokenizer.maxLength, ...limits);
}
